// The picture on the first page: a recorded conversation, which the diagram draws step by step.

import { byId } from "../common/dom.js";
import { fetchJson } from "../common/server.js";
import { Diagram } from "../diagram/diagram.js";
import { Transcript } from "../diagram/transcript.js";

const STEP = 1100; // milliseconds between two events
const REST = 4000; // milliseconds before the conversation begins again
const WIDE = 460; // pixels that the lanes of two clients need

class Picture {
  constructor(figure, recording) {
    const stage = figure.querySelector(".stage");
    stage.replaceChildren();
    this.transcript = Transcript.from(stage.clientWidth < WIDE ? firstClient(recording) : recording);
    this.diagram = new Diagram(stage, { label: "A recorded conversation, as a diagram" });
    this.diagram.setOptions({ className: figure.dataset.consumer.split(".").at(-1) });
    this.diagram.show(this.transcript);
    this.button = figure.querySelector("button");
    this.button.hidden = false;
    this.button.onclick = () => (this.timer ? this.pause() : this.play());
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.pause();
    else this.play();
  }

  get length() {
    return this.transcript.entries.length;
  }

  play() {
    if ((this.diagram.position ?? this.length) >= this.length) this.diagram.seek(1);
    this.button.textContent = "Pause";
    this.wait();
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    this.button.textContent = "Play";
  }

  wait() {
    this.timer = setTimeout(() => this.step(), this.diagram.position === this.length ? REST : STEP);
  }

  step() {
    if (!document.hidden) this.diagram.seek((this.diagram.position % this.length) + 1);
    this.wait();
  }
}

// The part of the recording that the first client and its consumer see.
function firstClient({ connections: [first], events, ...rest }) {
  const own = events.filter(({ connection }) => connection === first.connection);
  return { ...rest, connections: [{ ...first, client: "" }], events: own };
}

// Without an answer the page keeps its text of the conversation.
const figure = byId("picture");
if (figure) {
  fetchJson(figure.dataset.url).then((recording) => new Picture(figure, recording), () => {});
}
