// The picture on the first page: a recorded conversation, which the diagram draws step by step.

import { byId } from "../common/dom.js";
import { movePicture } from "../diagram/moving_picture.js";

const WIDE = 460; // pixels that the lanes of two clients need

// The part of the recording that the first client and its consumer see.
function firstClient({ connections: [first], events }) {
  const own = events.filter(({ connection }) => connection === first.connection);
  return { connections: [{ ...first, client: "" }], events: own };
}

const figure = byId("picture");
if (figure) {
  const recording = JSON.parse(byId("recording").textContent);
  const shown = figure.clientWidth < WIDE ? firstClient(recording) : recording;
  movePicture(figure, shown, figure.dataset.consumer.split(".").at(-1));
}
