import assert from "node:assert/strict";
import test from "node:test";

import { bytesFromHex, closeCode, handshakeOf, hexFromBytes, stateAfter } from "../../../../lessons/workshop/page/static/lessons/lesson/client.js";

test("bytes are read from hex digits and written as such", () => {
  assert.deepEqual([...bytesFromHex("00 ff:0A")], [0, 255, 10]);
  assert.deepEqual([...bytesFromHex("")], []);
  for (const wrong of ["0", "0g", "hello"]) assert.throws(() => bytesFromHex(wrong), /pairs of hex digits/);
  assert.equal(hexFromBytes(Uint8Array.from([0, 255])), "00ff");
});

test("a handshake's step leaves out what the server assumes", () => {
  const home = "/ws/home/";
  const step = (options) =>
    handshakeOf({ path: home, subprotocols: [], account: "", origin: "", ...options }, home);
  assert.deepEqual(step({}), {});
  assert.deepEqual(step({ account: "anonymous" }), {});
  assert.deepEqual(step({ path: "/ws/a b/?c=d e?" }), { path: "/ws/a%20b/", query: "c=d%20e?" });
  assert.deepEqual(step({ path: `${home}?a=1` }), { query: "a=1" });
  assert.deepEqual(step({ account: "ada", origin: "http://a.test", subprotocols: ["v1", "v2"] }), {
    subprotocols: ["v1", "v2"],
    as: "ada",
    origin: "http://a.test",
  });
});

test("a client of the exercise sends a ticket instead of a cookie, and says which server it is on", () => {
  const form = { path: "/", subprotocols: [], account: "ada", origin: "", server: "2", handshake: { ticket: "bob", host: "a.test" } };
  assert.deepEqual(handshakeOf(form, "/"), { ticket: "ada", host: "a.test", server: "2" });
});

test("close codes that a browser would not send are errors", () => {
  assert.deepEqual(["", " 1000 ", "4001"].map(closeCode), [undefined, 1000, 4001]);
  for (const wrong of ["1001", "5000", "x", "4999"]) assert.throws(() => closeCode(wrong));
});

const CONNECT = { type: "websocket.connect" };
const ACCEPT = { type: "websocket.accept", subprotocol: "v1" };
const START = { type: "http.response.start", status: 404 };
const RAISED = { type: "raised", error: "ValueError" };
const DISCONNECT = { type: "websocket.disconnect", code: 1006 };
const STATES = [
  ["connecting", "Connecting…", [CONNECT]],
  ["open", "Open, subprotocol v1.", [CONNECT, ACCEPT]],
  ["closed", "Closed: the browser reports 4001, “bye”.", [ACCEPT, { type: "websocket.close", code: 4001, reason: "bye" }, DISCONNECT]],
  ["closed", "Closed: the browser reports 1000.", [ACCEPT, { type: "websocket.disconnect", code: 4001 }]],
  ["closed", "Lost, without a close frame.", [ACCEPT, DISCONNECT]],
  ["closed", "Not accepted: the browser reports 1006.", [CONNECT, DISCONNECT]],
  ["refused", "Rejected with HTTP 403. The browser reports 1006.", [CONNECT, { type: "websocket.close" }, DISCONNECT]],
  ["refused", "Exception: HTTP 500. The browser reports 1006.", [CONNECT, RAISED]],
  ["closed", "Closed: the browser reports 1011.", [ACCEPT, RAISED]],
  ["open", "HTTP 404, the body is arriving.", [START, { type: "http.response.body", more_body: true }]],
  ["closed", "HTTP 404, complete.", [START, { type: "http.response.body" }, { type: "http.disconnect" }]],
  ["closed", "You have left.", [START, { type: "http.disconnect" }]],
  ["closed", "HTTP 500, complete.", [{ type: "http.request" }, RAISED]],
  ["closed", "The connection was lost.", [START, RAISED]],
];

test("the events of a connection say what its client knows", () => {
  for (const [state, text, messages] of STATES) {
    assert.deepEqual(stateAfter(messages.map((message) => ({ lane: "client", message }))), [state, text]);
  }
  const ofTheLayer = { lane: "layer", message: { type: "websocket.close" } };
  assert.equal(stateAfter([{ lane: "client", message: ACCEPT }, ofTheLayer])[0], "open");
});
