import assert from "node:assert/strict";
import test from "node:test";

import { Replay, pauseBefore } from "../../lessons/web/static/lessons/diagram/replay.js";

const entries = [0, 0.5, 0.501, 90].map((time) => ({ time }));

test("the pauses are the real ones at the chosen speed, and long ones are cut", () => {
  assert.deepEqual([0, 1, 3].map((index) => pauseBefore(entries, index, "1")), [0, 500, 2000]);
  assert.equal(Math.round(pauseBefore(entries, 2, "0.1")), 10);
});

test("step by step, all pauses are equal", () => {
  assert.deepEqual([1, 2, 3].map((index) => pauseBefore(entries, index, "steady")), [700, 700, 700]);
});

// Starts a replay. tick() lets its next pause pass, and returns the pause in milliseconds.
function replay(position, speed, context) {
  const [seen, timers] = [[], []];
  const { setTimeout: real } = globalThis;
  globalThis.setTimeout = (action, pause) => timers.push({ action, pause });
  context.after(() => (globalThis.setTimeout = real));
  const playback = { entries, position, speed, seek: (to) => seen.push((playback.position = to) ?? "all") };
  const made = new Replay(playback, () => seen.push("end"));
  made.start();
  const tick = () => {
    const { action, pause } = timers.shift();
    action();
    return Math.round(pause);
  };
  return { made, seen, tick };
}

test("it begins again if all events are shown, and shows close events together", (context) => {
  const { seen, tick } = replay(4, "1", context);
  assert.deepEqual([tick(), tick(), tick()], [0, 500, 2000]);
  assert.deepEqual(seen, [0, 1, 3, 4, "all", "end"]);
});

test("it goes on from the position, and stops there", (context) => {
  const { made, seen, tick } = replay(2, "steady", context);
  assert.equal(tick(), 700);
  made.stop();
  assert.deepEqual(seen, [2, 3, 3, "end"]);
});
