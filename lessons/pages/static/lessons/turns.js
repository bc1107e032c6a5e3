// Drawing in turns, one a frame: two large ones in one frame are a frame that one sees missing.

const waiting = [];

// `draw` is called in the first frame that nobody asked for before.
export function inTurn(draw) {
  if (waiting.push(draw) === 1) requestAnimationFrame(next);
}

function next() {
  const draw = waiting.shift();
  if (waiting.length) requestAnimationFrame(next);
  draw();
}
