// A recorded conversation that the diagram draws step by step, again and again.

import { Diagram } from "./diagram.js";
import { Transcript } from "./transcript.js";

const STEP = 1100; // milliseconds between two events
const REST = 4000; // milliseconds before the conversation begins again

// `figure` has an element with the class `stage`, and a button.
export class MovingPicture {
  constructor(figure, recording, className = "") {
    const stage = figure.querySelector(".stage");
    stage.replaceChildren();
    this.transcript = Transcript.from(recording);
    this.diagram = new Diagram(stage, { label: "A recorded conversation, as a diagram" });
    this.diagram.setOptions({ className });
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
