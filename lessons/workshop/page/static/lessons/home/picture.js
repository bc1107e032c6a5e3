// The picture on the first page: a recorded conversation, which the diagram draws step by step.

import { byId } from "../common/dom.js";
import { fetchJson } from "../common/server.js";
import { MovingPicture } from "../diagram/moving_picture.js";

const WIDE = 460; // pixels that the lanes of two clients need

// The part of the recording that the first client and its consumer see.
function firstClient({ connections: [first], events, ...rest }) {
  const own = events.filter(({ connection }) => connection === first.connection);
  return { ...rest, connections: [{ ...first, client: "" }], events: own };
}

// Without an answer the place of the picture stays empty.
const figure = byId("picture");
if (figure) {
  const isNarrow = figure.clientWidth < WIDE;
  const draw = (recording) => new MovingPicture(figure, isNarrow ? firstClient(recording) : recording, figure.dataset.consumer.split(".").at(-1));
  fetchJson(figure.dataset.url).then(draw, () => {});
}
