import assert from "node:assert/strict";
import test from "node:test";

import { gapText, lanesOf, layout, placeLanes, placeRows } from "../../lessons/web/static/lessons/diagram/layout.js";
import { Transcript } from "../../lessons/web/static/lessons/diagram/transcript.js";
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

test("an empty transcript has the lanes that nearly every conversation has", () => {
  assert.deepEqual(kinds(layoutOf({ entries: [] })), ["client", "consumer", "database"]);
});

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

test("a consumer that has not ended keeps its lane for itself", () => {
  const transcript = transcriptOf([conversation("a").slice(0, 3), {}], [conversation("b", 5), {}]);
  assert.deepEqual(kinds(lanesOf(transcript.entries)), ["client", "consumer", "consumer"]);
});

test("a handler's bar reaches from its event to the last event that it caused", () => {
  const { bars } = layoutOf(transcriptOf([conversation("a"), {}]));
  assert.deepEqual(bars.map(({ name, from, to, depth }) => [name, from, to, depth]), [["connect", 1, 2, 0]]);
});

test("a task that continues during a later handler has a bar beside it", () => {
  const events = [
    event("a", 1, { handler: "connect" }),
    event("a", 2, { direction: "out", handler: "ticker" }),
    event("a", 3, { handler: "receive" }),
    event("a", 4, { direction: "out", handler: "ticker" }),
  ];
  const { bars } = layoutOf(transcriptOf([events, {}]));
  assert.deepEqual(
    bars.map(({ name, from, to, depth }) => [name, from, to, depth]),
    [["connect", 0, 0, 0], ["ticker", 1, 3, 1], ["receive", 2, 2, 0]],
  );
});

test("a lifeline ends with the consumer", () => {
  const { lifelines } = layoutOf(transcriptOf([conversation("a"), {}], [conversation("b", 5).slice(0, 2), {}]));
  assert.deepEqual(lifelines.map(({ from, to, ended }) => [from, to, Boolean(ended)]), [[0, 3, true], [4, 5, false]]);
});

test("a row after more than a second without events is marked", () => {
  const events = [event("a", 1, { time: 0 }), event("a", 2, { time: 0.9 }), event("a", 3, { time: 2 })];
  const { rows } = layoutOf(transcriptOf([events, {}]));
  assert.deepEqual(rows.map(({ isAfterPause }) => isAfterPause), [false, false, true]);
});

test("events of a folded lane are left out", () => {
  const events = [event("a", 1), event("a", 2, { lane: "layer", direction: "out" }), event("a", 3)];
  const transcript = transcriptOf([events, {}]);
  const { lanes } = layoutOf(transcript);
  const folded = new Set([lanes.find(({ kind }) => kind === "layer").key]);
  const { rows } = layoutOf(transcript, { folded });
  assert.deepEqual(rows.map(({ entry }) => entry.event.seq), [1, 3]);
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

test("lanes use the whole width, and more where they need it", () => {
  const { lanes } = layoutOf(transcriptOf([conversation("a"), {}]));
  const place = (width, folded = new Set()) => placeLanes(lanes, { width, left: 50, zoom: 1, folded });
  assert.equal(place(900), 900);
  const wide = lanes[1].x - lanes[0].x;
  assert.ok(place(100) > 100);
  assert.ok(lanes[1].x > lanes[0].x);
  place(900, new Set([lanes[1].key]));
  assert.ok(lanes[1].x - lanes[0].x < wide);
});

test("blank rows bring the first difference of two recordings to the same height", () => {
  const { rows, height } = layoutOf(transcriptOf([conversation("a"), {}]), { differs: 2, later: 5, least: 9 });
  assert.deepEqual(rows.map(({ top }) => top), [0, 1, 5, 6]);
  assert.equal(height, 9);
});

test("to scale, a wait takes two rows a second, and one of four seconds or more takes eight", () => {
  const rows = [{ since: 0 }, { since: 0.125 }, { since: 0.5 }, { since: 60 }];
  assert.equal(placeRows(rows, { isToScale: true }), 13.25);
  assert.deepEqual(rows.map(({ wait, isCut }) => [wait, isCut]), [[0, false], [0.25, false], [1, false], [8, true]]);
});

test("a row knows the time since the row before it, also if rows between are filtered out", () => {
  const events = [event("a", 1, { time: 0 }), event("a", 2, { time: 1 }), event("a", 3, { time: 3 })];
  const matches = (entry) => entry.event.seq !== 2;
  const { rows } = layoutOf(transcriptOf([events, {}]), { matches });
  assert.deepEqual(rows.map(({ since }) => since), [0, 3]);
});

test("bars and lifelines follow their rows when the rows are to scale", () => {
  const { bars, lifelines, rows } = layoutOf(transcriptOf([conversation("a"), {}]), { isToScale: true });
  assert.deepEqual([bars[0].top, bars[0].bottom], [rows[1].top, rows[2].top]);
  assert.deepEqual([lifelines[0].top, lifelines[0].bottom], [0, rows[3].top]);
});
