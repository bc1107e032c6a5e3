import assert from "node:assert/strict";
import test from "node:test";

import { gapText, lanesOf, layout } from "../../../../lessons/workshop/page/static/lessons/diagram/layout.js";
import { Transcript } from "../../../../lessons/workshop/page/static/lessons/diagram/transcript.js";
import { conversation, event } from "./events.mjs";

function transcriptOf(...batches) {
  const transcript = new Transcript();
  for (const [events, names] of batches) {
    transcript.add({ recorded: events.at(-1).seq, events }, names);
  }
  return transcript;
}

function layoutOf({ entries }, options = {}) {
  return layout(entries, { position: entries.length, differs: null, ...options });
}

const kinds = ({ lanes }) => lanes.map(({ kind, name }) => `${kind} ${name}`.trim());

test("lanes are in one order, whichever event came first", () => {
  const events = [
    event("a", 1, { lane: "database", direction: "out" }),
    event("a", 2, { lane: "layer", direction: "out" }),
    event("a", 3),
  ];
  const transcript = transcriptOf([events, { client: "1" }]);
  assert.deepEqual(kinds(layoutOf(transcript)), ["client", "consumer", "layer", "database"]);
  assert.deepEqual(kinds(lanesOf([], ["client", "layer"])), ["client", "layer"]);
});

test("of several clients, each has its number, and the lanes are in their order", () => {
  const transcript = transcriptOf([conversation("b"), { client: "2" }], [conversation("a", 5), { client: "1" }]);
  assert.deepEqual(kinds(layoutOf(transcript)), ["client 1", "client 2", "consumer 1", "consumer 2"]);
});

test("a row has no time where all events have the same", () => {
  const times = (...all) => layoutOf(transcriptOf([all.map((time, index) => event("a", index + 1, { time })), {}])).rows.map(({ at }) => at);
  assert.deepEqual(times(5, 5), [null, null]);
  assert.deepEqual(times(5, 7), [0, 2]);
});

test("what happened outside the consumers is a row of its own", () => {
  const connections = [{ connection: "a", client: "1", begun: 1, recorded: 2 }];
  const events = [event("a", 1), event("a", 2)];
  const transcript = Transcript.from({ connections, events }, [{ time: 1, text: "a row is saved" }]);
  assert.deepEqual(layoutOf(transcript).rows.map(({ kind, text }) => text ?? kind), ["arrow", "a row is saved", "arrow"]);
});

test("a client that connects again keeps its lane and its consumer's lane", () => {
  const transcript = transcriptOf([conversation("a"), {}], [conversation("b", 5), {}]);
  assert.deepEqual(kinds(lanesOf(transcript.entries)), ["client", "consumer"]);
});

test("a handler's bar reaches from its event to the last event that it caused", () => {
  const { bars } = layoutOf(transcriptOf([conversation("a"), {}]));
  assert.deepEqual(bars.map(({ name, from, to, depth }) => [name, from, to, depth]), [["connect", 1, 2, 0]]);
});

test("lost events are a row that says how many they are", () => {
  const { rows } = layoutOf(transcriptOf([[event("a", 1), event("a", 4)], {}]));
  assert.deepEqual(rows.map(({ kind, text }) => text ?? kind), ["arrow", "2 events not shown", "arrow"]);
  assert.equal(gapText({ count: 1 }), "1 event not shown");
});

test("the first difference of a comparison is marked, even after the last event", () => {
  const transcript = transcriptOf([conversation("a"), {}]);
  const marked = (differs) => layoutOf(transcript, { differs }).rows.findIndex(({ isDifferent }) => isDifferent);
  assert.equal(marked(2), 2);
  assert.equal(marked(4), 4);
  assert.equal(layoutOf(transcript, { differs: 4 }).rows[4].text, "nothing more");
  assert.equal(marked(null), -1);
});
