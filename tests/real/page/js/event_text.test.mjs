import assert from "node:assert/strict";
import test from "node:test";

import { labelOf } from "../../../../lessons/workshop/page/static/lessons/diagram/event_text.js";

const event = (text, message = {}) => ({ text, message: { type: text.split(" ")[0], ...message } });

test("a label leaves the key of a payload and the origin of a scope out", () => {
  assert.deepEqual(labelOf(event('websocket.send  text: "hi"')), ["websocket.send", '"hi"']);
  assert.deepEqual(labelOf(event("websocket.send  text: None")), ["websocket.send", "text: None"]);
  assert.deepEqual(labelOf(event("scope  /ws/a/?b=c  origin: http://a.test")), ["scope", "/ws/a/?b=c"]);
});
