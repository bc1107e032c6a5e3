import assert from "node:assert/strict";
import test from "node:test";

import { Transcript } from "../../lessons/web/static/lessons/diagram/transcript.js";
import { event } from "./events.mjs";

const describe = ({ entries }) =>
  entries.map((entry) => `${entry.of.client} ${entry.count ?? Transcript.idOf(entry)}`);

// The batch of the second connection arrives later, although its events happened in between.
function twoConnections() {
  const transcript = new Transcript();
  transcript.add({ recorded: 3, events: [event("a", 1), event("a", 3)] }, { client: "ada" });
  const later = [event("b", 1, { time: 2 }), event("b", 2, { time: 4 })];
  transcript.add({ recorded: 4, events: later }, { client: "eve" });
  return transcript;
}

test("events of two connections are in the order of time, with gaps for lost events", () => {
  const transcript = twoConnections();
  assert.deepEqual(describe(transcript), ["ada 1.1", "eve 2.1", "ada 1", "ada 1.3", "eve 2.2", "eve 2"]);
  assert.equal(transcript.lost, 3);
});

test("a transcript survives being saved and loaded", () => {
  const transcript = twoConnections();
  const loaded = Transcript.from(JSON.parse(JSON.stringify(transcript)));
  assert.deepEqual(describe(loaded), describe(transcript));
  assert.equal(loaded.lost, transcript.lost);
});

test("only a transcript is read as a transcript", () => {
  const wrong = [null, { events: [], connections: 1 }, [1], { events: [{ seq: "1" }], connections: [] }];
  for (const json of wrong) {
    assert.throws(() => Transcript.from(json), { message: "This is not a transcript." });
  }
});

test("an event whose parts have wrong types is not an event of a transcript", () => {
  const good = { ...event("a", 1), literal: "{}", state: { count: "1", task: null } };
  const from = (changes) => Transcript.from({ connections: [], events: [{ ...good, ...changes }] });
  const right = [{}, { text: undefined }, { state: null }, { message: { type: "x", bytes: { bytes: "zz" } } }];
  for (const changes of right) assert.equal(from(changes).entries.length, 1);
  const wrong = [
    { text: 1 }, { text: null }, { literal: {} }, { handler: [] }, { thread: 1 }, { state: "x" }, { state: { a: 1 } },
    { message: null }, { message: "x" }, { message: { type: "query" } }, { message: { type: "query", sql: 1 } },
    { message: { type: { toString: 1 } } }, { seq: "1" }, { time: null }, { lane: "x" }, { direction: 1 }, { connection: 1 },
  ];
  for (const changes of wrong) {
    assert.throws(() => from(changes), { message: "This is not a transcript." }, JSON.stringify(changes));
  }
});

test("the oldest entries are removed from a long transcript, and counted as lost", () => {
  const transcript = new Transcript();
  const changes = [];
  transcript.addEventListener("change", ({ detail }) => changes.push(detail));
  const events = Array.from({ length: 5010 }, (_, index) => event("a", index + 1));
  transcript.add({ recorded: 5010, events });
  assert.equal(transcript.entries.length, 5000);
  assert.equal(transcript.lost, 10);
  assert.deepEqual(changes, [{ from: 0, trimmed: 10 }]);
});

test("a cleared transcript has no gap before the next event", () => {
  const transcript = new Transcript();
  transcript.add({ recorded: 2, events: [event("a", 1), event("a", 2)] });
  transcript.clear();
  transcript.add({ recorded: 3, events: [event("a", 3)] }, {});
  assert.deepEqual(describe(transcript), [" 1.3"]);
});

test("a transcript begins with its first event, even when that one comes late or was removed", () => {
  const transcript = new Transcript();
  transcript.add({ recorded: 1, events: [event("a", 1, { time: 5 })] });
  transcript.add({ recorded: 1, events: [event("b", 1, { time: 3 })] });
  assert.equal(transcript.begun, 3);
  const events = Array.from({ length: 5000 }, (_, index) => event("a", index + 2, { time: 6 }));
  transcript.add({ recorded: 5001, events });
  assert.equal(transcript.begun, 3);
  transcript.clear();
  transcript.add({ recorded: 5002, events: [event("a", 5002, { time: 7 })] });
  assert.equal(transcript.begun, 7);
});

test("an entry is found by the id in an address", () => {
  const transcript = twoConnections();
  assert.equal(transcript.indexOf("2.2"), 4);
  assert.equal(transcript.indexOf("9.9"), -1);
});

test("a transcript takes the entries of another one and continues with its own", () => {
  const transcript = new Transcript();
  transcript.add({ recorded: 1, events: [event("c", 1)] }, { client: "mia" });
  transcript.replaceWith(twoConnections());
  transcript.add({ recorded: 2, events: [event("c", 2, { time: 9 })] });
  assert.deepEqual(describe(transcript).slice(-2), ["eve 2", "mia 1.2"]);
});

test("an event that comes again replaces itself", () => {
  const transcript = new Transcript();
  transcript.add({ recorded: 2, events: [event("a", 1), event("a", 2)] });
  transcript.add({ recorded: 2, events: [{ ...event("a", 1), state: { count: "1" } }] });
  assert.deepEqual(transcript.entries.map(({ event: { seq, state } }) => [seq, state]), [[1, { count: "1" }], [2, undefined]]);
  assert.equal(transcript.lost, 0);
});
