import assert from "node:assert/strict";
import test from "node:test";

import { gapText, lanesOf, layout, placeRows } from "../../../../lessons/workshop/page/static/lessons/diagram/layout.js";
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
  return layout(entries, { position: entries.length, folded: new Set(), differs: null, ...options });
}

const kinds = ({ lanes }) => lanes.map(({ kind, name }) => `${kind} ${name}`.trim());

test("lanes are in one order, whichever event came first", () => {
  const events = [
    event("a", 1, { lane: "database", direction: "out" }),
    event("a", 2, { lane: "layer", direction: "out" }),
    event("a", 3),
  ];
  const transcript = transcriptOf([events, { client: "1" }]);
  assert.deepEqual(kinds(layoutOf(transcript)), ["client 1", "consumer 1", "layer", "database"]);
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

test("to scale, a wait takes two rows a second, and one of four seconds or more takes eight", () => {
  const rows = [{ since: 0 }, { since: 0.125 }, { since: 0.5 }, { since: 60 }];
  assert.equal(placeRows(rows, { isToScale: true }), 13.25);
  assert.deepEqual(rows.map(({ wait, isCut }) => [wait, isCut]), [[0, false], [0.25, false], [1, false], [8, true]]);
});
