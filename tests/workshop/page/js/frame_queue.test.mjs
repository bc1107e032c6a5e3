import assert from "node:assert/strict";
import test from "node:test";

import { queueFrame } from "../../lessons/web/static/lessons/common/dom.js";

const frames = [];
globalThis.requestAnimationFrame = (draw) => frames.push(draw);

test("each frame draws one owner, and an owner that asks twice is drawn once", () => {
  const drawn = [];
  const [diagram, table] = [{}, {}];
  queueFrame(diagram, () => drawn.push("diagram"));
  queueFrame(table, () => drawn.push("table"));
  queueFrame(diagram, () => drawn.push("diagram again"));
  frames.shift()();
  assert.deepEqual(drawn, ["diagram"]);
  frames.shift()();
  assert.deepEqual(drawn, ["diagram", "table"]);
  assert.deepEqual(frames, []);
});

test("a drawing can ask for the next frame", () => {
  const owner = {};
  let count = 0;
  const draw = () => {
    count += 1;
    if (count < 3) queueFrame(owner, draw);
  };
  queueFrame(owner, draw);
  while (frames.length) frames.shift()();
  assert.equal(count, 3);
});
