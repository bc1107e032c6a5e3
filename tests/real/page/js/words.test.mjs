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

test("steps that only prepare the conversation are counted, and others keep their own text", () => {
  const steps = [step("row"), step("row"), step("user"), step("connect"), step("kill")];
  assert.equal(stepsInWords(steps), "2 rows are saved, 1 user is saved, the client connects, 1 kill");
});
