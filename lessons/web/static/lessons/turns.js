// Drawing in turns, one a frame: two large ones in one frame are a frame that one sees missing.

const waiting = new Map();

// `draw` is called in the first frame that nobody asked for before; once, however often `who` asks.
export function inTurn(who, draw) {
  if (waiting.has(who)) return;
  waiting.set(who, draw);
  if (waiting.size === 1) requestAnimationFrame(next);
}

function next() {
  const [[who, draw]] = waiting;
  waiting.delete(who);
  if (waiting.size) requestAnimationFrame(next);
  draw();
}
