import assert from "node:assert/strict";
import test from "node:test";

import { labelOf } from "../../../../lessons/workshop/page/static/lessons/diagram/event_text.js";

const event = (text, message = {}) => ({ text, message: { type: text.split(" ")[0], ...message } });

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
