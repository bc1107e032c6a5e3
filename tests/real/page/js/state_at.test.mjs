import assert from "node:assert/strict";
import test from "node:test";

import { Transcript } from "../../../../lessons/workshop/page/static/lessons/diagram/transcript.js";
import { stateAt } from "../../../../lessons/workshop/page/static/lessons/lesson/state_at.js";
import { event } from "./events.mjs";

function layer(connection, seq, message, direction = "out", time = seq) {
  return { ...event(connection, seq, { lane: "layer", direction, time }), message };
}

function stateAfter(events, index) {
  const transcript = new Transcript();
  for (const one of events) transcript.add({ recorded: one.seq, events: [one] });
  return stateAt(transcript.entries, transcript.entries[index]);
}

test("the attributes are those after the event, and the changed ones are new", () => {
  const events = [
    { ...event("a", 1), state: { count: "0", task: "<Task>" } },
    { ...event("a", 2), state: { count: "1", task: null } },
    { ...event("b", 1, { time: 3 }), state: { other: "1" } },
    event("a", 3, { time: 4 }),
  ];
  assert.deepEqual(stateAfter(events, 1).attributes, [{ name: "count", text: "1", isNew: true }]);
  assert.deepEqual(stateAfter(events, 3).attributes, [{ name: "count", text: "1", isNew: false }]);
});

test("a group has its members, and says which of them have ended", () => {
  const events = [
    layer("a", 1, { type: "group_add", group: "room", channel: "x" }),
    layer("b", 1, { type: "group_add", group: "room", channel: "y" }),
    { ...event("b", 2, { time: 3, lane: "consumer", direction: "mark" }), message: { type: "finished" } },
    layer("a", 2, { type: "group_discard", group: "room", channel: "x" }, "out", 4),
  ];
  const members = (index) =>
    (stateAfter(events, index).groups.find(({ group }) => group === "room")?.members ?? []).map(({ of, hasEnded }) => [of.connection, hasEnded]);
  assert.deepEqual(members(0), [["a", false]]);
  assert.deepEqual(members(2), [["a", false], ["b", true]]);
  assert.deepEqual(members(3), [["b", true]]);
});
