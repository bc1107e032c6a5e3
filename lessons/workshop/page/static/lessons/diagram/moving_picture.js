// A recorded conversation that the diagram draws step by step, again and again.

import { Diagram } from "./diagram.js";
import { Transcript } from "./transcript.js";

const STEP = 1100; // milliseconds between two events
const REST = 4; // steps before the conversation begins again

// `figure` has an element with the class `stage`, and a button.
export function movePicture(figure, recording, className = "") {
  const stage = figure.querySelector(".stage");
  stage.replaceChildren();
  const transcript = Transcript.from(recording);
  const { length } = transcript.entries;
  const diagram = new Diagram(stage, { label: "A recorded conversation, as a diagram" });
  diagram.setOptions({ className });
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
