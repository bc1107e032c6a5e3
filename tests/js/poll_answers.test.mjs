import assert from "node:assert/strict";
import test from "node:test";

import { frequentOrders, lettersOf, ticks } from "../../lessons/room/static/room/poll_answers.js";

test("each box is counted for every student who ticked it, and once for each of them", () => {
  assert.deepEqual(ticks({ "1:0 2:0": 3, "2:0": 2, "1:0 1:0": 1 }), { "1:0": 4, "2:0": 5 });
  assert.deepEqual(ticks({}), {});
});

test("the orders of the last round come first, and the seventh and later ones share a bar", () => {
  const last = Object.fromEntries(["a", "b", "c", "d", "e", "f", "g"].map((name, index) => [name, 10 - index]));
  const { shown, rest } = frequentOrders([{ h: 50, a: 1 }, last]);
  assert.deepEqual(shown, ["a", "b", "c", "d", "e", "f"]);
  assert.deepEqual(rest, [50, 4]);
});

test("an order is written with the letters of the board", () => {
  const letters = [2, 0, 1];
  assert.equal(lettersOf("0 1 2", letters), "B C A");
  assert.equal(lettersOf("0 2 | 1", letters), "B A, never C");
  assert.equal(lettersOf("| 0", letters), "never B");
  assert.equal(lettersOf("", letters), "nothing");
  assert.equal(lettersOf("7 <b>", letters), "? ?");
});
