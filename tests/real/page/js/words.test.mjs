import assert from "node:assert/strict";
import test from "node:test";

import { stepsInWords } from "../../../../lessons/workshop/page/static/lessons/lesson/words.js";

const step = (action, values = {}, client = 1) => ({ client, action, arguments: values, step: `${client} ${action}` });

test("steps are told in words, and one client alone has no number", () => {
  const steps = [step("connect", { query: "name=ada" }), step("text", { text: "milk" }), step("close", { code: 1001 })];
  assert.equal(stepsInWords(steps), "the client connects with ?name=ada, sends “milk”, closes with 1001");
});

test("of several clients each step says whose it is", () => {
  const steps = [step("connect"), step("connect", {}, 2), step("text", { text: "" }, 2), step("vanish")];
  assert.equal(stepsInWords(steps), "client 1 connects, client 2 connects, sends an empty text, client 1 loses the connection");
});

test("rows that are saved first are counted, and later ones are told", () => {
  const row = step("row", { model: "auth.Group", fields: { name: "a" } }, null);
  const steps = [row, row, step("connect"), row, step("kill")];
  assert.equal(
    stepsInWords(steps),
    "2 rows are saved, the client connects, a row of auth.Group is saved: {\"name\":\"a\"}, the consumer is cancelled by the server",
  );
});

test("a step that does not wait says so", () => {
  const steps = [step("connect"), { ...step("text", { text: "a" }), together: true }, { ...step("text", { text: "b" }, 2), point: 3 }];
  assert.equal(stepsInWords(steps), "client 1 connects, at the same time client 1 sends “a”, while another is served, client 2 sends “b”");
});

test("what other processes do is told without the steps' own grammar", () => {
  const call = step("call", { name: "put_up", arguments: [1, "Tea"] }, null);
  assert.equal(stepsInWords([call, step("redis", { state: "groups gone" }, null)]), 'another process calls put_up(1, "Tea"), Redis is lost for groups');
});
