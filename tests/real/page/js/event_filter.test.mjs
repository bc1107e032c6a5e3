import assert from "node:assert/strict";
import test from "node:test";

import { parseFilter } from "../../../../lessons/workshop/page/static/lessons/diagram/event_filter.js";
import { event } from "./events.mjs";

const of = { client: "2" };
const entries = [
  { of, event: event("a", 1, { type: "websocket.receive", text: 'websocket.receive text: "Hello"', handler: "say" }) },
  { of, event: event("a", 2, { type: "websocket.send" }) },
  { of, event: event("a", 3, { type: "group_send", lane: "layer" }) },
  { of, count: 4 },
];
const shown = (text) => entries.filter(parseFilter(text)).map(({ event: { seq } }) => seq);

test("an event is shown if it has one of the words, in any place and case", () => {
  assert.deepEqual(shown("LAYER"), [3]);
  assert.deepEqual(shown("hello"), [1]);
  assert.deepEqual(shown("say, group_send"), [1, 3]);
  assert.deepEqual(shown("websocket"), [1, 2]);
});

test("a word with a minus leaves events out", () => {
  assert.deepEqual(shown("-layer"), [1, 2]);
  assert.deepEqual(shown("send -layer"), [2]);
});
