import assert from "node:assert/strict";
import test from "node:test";

import { frequentOrders, ticks, votesOf } from "../../../../lessons/workshop/room/static/room/poll_answers.js";

test("each box is counted for every student who ticked it, and once for each of them", () => {
  const votes = votesOf({ "1:0 2:0": 3, "2:0": 2, "1:0 1:0": 1 });
  assert.deepEqual(Object.fromEntries(ticks(votes)), { "1:0": 4, "2:0": 5 });
  assert.equal(ticks(votesOf({})).size, 0);
});

test("the orders of the last round come first, and the seventh and later ones share a bar", () => {
  const last = Object.fromEntries(["a", "b", "c", "d", "e", "f", "g"].map((name, index) => [name, 10 - index]));
  const { shown, rest } = frequentOrders([{ h: 50, a: 1 }, last].map(votesOf));
  assert.deepEqual(shown, ["a", "b", "c", "d", "e", "f"]);
  assert.deepEqual(rest, [50, 4]);
});

test("a vote for the name of a property of all objects is counted as any other", () => {
  const first = votesOf(JSON.parse('{"__proto__": 2, "constructor": 3}'));
  assert.deepEqual([...ticks(first)], [["__proto__", 2], ["constructor", 3]]);
  const last = votesOf({ a: 5, b: 4, c: 3, d: 2, e: 1, f: 1, valueOf: 1 });
  const { shown, rest } = frequentOrders([first, last]);
  assert.deepEqual(shown, ["a", "b", "c", "d", "e", "f"]);
  assert.deepEqual(rest, [5, 1]);
});
