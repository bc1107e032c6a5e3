import assert from "node:assert/strict";
import test from "node:test";

import { Transcript } from "../../../../lessons/workshop/page/static/lessons/diagram/transcript.js";
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
});

test("the oldest entries are removed from a long transcript", () => {
  const transcript = new Transcript();
  const changes = [];
  transcript.addEventListener("change", ({ detail }) => changes.push(detail));
  const events = Array.from({ length: 1010 }, (_, index) => event("a", index + 1));
  transcript.add({ recorded: 1010, events });
  assert.equal(transcript.entries.length, 1000);
  assert.deepEqual(changes, [{ trimmed: 10 }]);
});

test("a transcript that becomes another one keeps the entries of events with the same text", () => {
  const begun = (connection, recorded) => [{ connection, client: "1", begun: 1, recorded }];
  const transcript = Transcript.from({ connections: begun("a", 2), events: [event("a", 1), event("a", 2)] });
  const [same, old] = transcript.entries;
  const changed = event("b", 2, { text: "new" });
  transcript.become(Transcript.from({ connections: begun("b", 2), events: [event("b", 1), changed] }));
  assert.equal(transcript.entries[0], same);
  assert.equal(same.event.connection, "b");
  assert.notEqual(transcript.entries[1], old);
  assert.deepEqual(describe(transcript), ["1 1.1", "1 1.2"]);
});
