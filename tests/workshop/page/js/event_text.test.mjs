import assert from "node:assert/strict";
import test from "node:test";

import {
  cut,
  detailsOf,
  formatTime,
  labelOf,
  withoutProtocol,
} from "../../lessons/web/static/lessons/diagram/event_text.js";

const event = (text, message = {}) => ({ text, message: { type: text.split(" ")[0], ...message } });

test("a time has at most four digits", () => {
  const texts = [0.0123, 0.123, 1.2345, 12.345, 123.45].map(formatTime);
  assert.deepEqual(texts, ["12.3 ms", "123 ms", "1.234 s", "12.35 s", "123 s"]);
});

test("an event's details are its text without the type", () => {
  assert.equal(detailsOf(event('websocket.send  text: "a  b"')), 'text: "a  b"');
  assert.equal(detailsOf(event("websocket.connect")), "");
  assert.equal(detailsOf({ text: "SELECT 1", message: { type: "query" } }), "SELECT 1");
  assert.equal(detailsOf({ message: {} }), ""); // an older saved transcript
});

test("a label leaves the key of a payload and the origin of a scope out", () => {
  assert.deepEqual(labelOf(event('websocket.send  text: "hi"')), ["websocket.send", '"hi"']);
  assert.deepEqual(labelOf(event("websocket.send  text: None")), ["websocket.send", "text: None"]);
  assert.deepEqual(labelOf(event("scope  /ws/a/?b=c  origin: http://a.test")), ["scope", "/ws/a/?b=c"]);
});

test("a query is labelled with its verb and its table", () => {
  const query = (sql) => labelOf({ text: sql, message: { type: "query", sql } });
  assert.deepEqual(query('SELECT "id" FROM "db_demo_post" WHERE 1'), ["SELECT", "db_demo_post"]);
  assert.deepEqual(query("INSERT INTO post VALUES (1)"), ["INSERT", "post"]);
  assert.deepEqual(query("BEGIN"), ["BEGIN", ""]);
});

test("a text is cut with an ellipsis, and a type loses its protocol", () => {
  assert.equal(cut("hello", 5), "hello");
  assert.equal(cut("hello!", 5), "hell…");
  assert.equal(withoutProtocol("websocket.receive"), "receive");
  assert.equal(withoutProtocol("chat.message"), "chat.message");
});
