// The picture on the first page: a recorded conversation, which the diagram draws step by step, again and
// again.

import { byId } from "../common/dom.js";
import { Diagram } from "../diagram/diagram.js";
import { Transcript } from "../diagram/transcript.js";

const WIDE = 460; // pixels that the lanes of two clients need
const STEP = 1100; // milliseconds between two events
const REST = 4; // steps before the conversation begins again

// The part of the recording that the first client and its consumer see.
function firstClient({ connections: [first], events }) {
  const own = events.filter(({ connection }) => connection === first.connection);
  return { connections: [{ ...first, client: "" }], events: own };
}

function movePicture(figure) {
  const recording = JSON.parse(byId("recording").textContent);
  const transcript = Transcript.from(figure.clientWidth < WIDE ? firstClient(recording) : recording);
  const { length } = transcript.entries;
  const stage = figure.querySelector(".stage");
  stage.replaceChildren();
  const diagram = new Diagram(stage, { label: "A recorded conversation, as a diagram" });
  diagram.setOptions({ className: figure.dataset.consumer.split(".").at(-1) });
  diagram.show(transcript);
  const button = figure.querySelector("button");
  let at = length;
  let timer = null;
  const step = () => {
    if (!document.hidden) at = at < length + REST ? at + 1 : 1;
    diagram.seek(Math.min(at, length));
  };
  const play = () => {
    if (at >= length) at = 0;
    step();
    timer = setInterval(step, STEP);
    button.textContent = "Pause";
  };
  const pause = () => {
    timer = clearInterval(timer);
    button.textContent = "Play";
  };
  button.hidden = false;
  button.onclick = () => (timer ? pause() : play());
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) pause();
  else play();
}

if (byId("picture")) movePicture(byId("picture"));
