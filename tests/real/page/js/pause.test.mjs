import assert from "node:assert/strict";
import test from "node:test";

import { pauseBefore } from "../../../../lessons/workshop/page/static/lessons/lesson/pause.js";

const entries = [0, 0.5, 0.501, 90].map((time) => ({ time }));

test("the pauses are the real ones at the chosen speed, and long ones are cut", () => {
  assert.deepEqual([0, 1, 3].map((index) => pauseBefore(entries, index, "1")), [0, 500, 2000]);
  assert.equal(Math.round(pauseBefore(entries, 2, "0.1")), 10);
});
