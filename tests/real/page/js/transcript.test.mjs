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

test("a transcript that becomes another one keeps the entries of events that both have", () => {
  const transcript = Transcript.from({ connections: [{ connection: "a", client: "1", begun: 1, recorded: 1 }], events: [event("a", 1)] });
  const [entry] = transcript.entries;
  const connections = [{ connection: "b", client: "1", begun: 1, recorded: 2 }];
  transcript.become(Transcript.from({ connections, events: [event("b", 1, { text: "new" }), event("b", 2)] }));
  assert.equal(transcript.entries[0], entry);
  assert.equal(entry.event.text, "new");
  assert.deepEqual(describe(transcript), ["1 1.1", "1 1.2"]);
});
