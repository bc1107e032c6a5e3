import assert from "node:assert/strict";
import test from "node:test";

import { linesOf } from "../../../../lessons/workshop/page/static/lessons/lesson/source_line.js";

const CODE = `
class Game:
    def websocket_receive(self, event):
        if event["text"] == "7":
            self.send({"type": "websocket.send", "text": "Right."})
            self.send({"type": "websocket.close", "code": 1000})
        else:
            self.send({"type": "websocket.send", "text": "Wrong."})`;
const lines = CODE.trim().split("\n").map((text, index) => ({ number: index + 1, text, method: index ? "websocket_receive" : "" }));
const event = (type, more = {}, direction = "out") => ({ direction, handler: "websocket_receive", message: { type, ...more } });

test("the one line that sent an event is lit", () => {
  assert.deepEqual(linesOf(event("websocket.close"), lines), [5]);
  assert.deepEqual(linesOf(event("websocket.send", { text: "Wrong." }), lines), [7]);
});

test("an event that arrives lights the line that defines its handler", () => {
  assert.deepEqual(linesOf(event("websocket.receive", {}, "in"), lines), [2]);
});

test("the whole handler is lit where no line surely sent the event, and nothing without a handler", () => {
  assert.deepEqual(linesOf(event("websocket.send", { text: "?" }), lines), [2, 3, 4, 5, 6, 7]);
  assert.deepEqual(linesOf({ ...event("websocket.send"), handler: "other" }, lines), []);
});
