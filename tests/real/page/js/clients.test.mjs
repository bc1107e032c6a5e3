import assert from "node:assert/strict";
import test from "node:test";

import { bytesFromHex, handshakeOf, HandshakeStatus, hexFromBytes } from "../../../../lessons/workshop/page/static/lessons/lesson/client.js";
import { event } from "./events.mjs";

test("bytes are read from hex digits and written as such", () => {
  assert.deepEqual([...bytesFromHex("00 ff:0A")], [0, 255, 10]);
  assert.deepEqual([...bytesFromHex("")], []);
  for (const wrong of ["0", "0g", "hello"]) assert.throws(() => bytesFromHex(wrong), /pairs of hex digits/);
  assert.equal(hexFromBytes(Uint8Array.from([0, 255]).buffer), "00 ff");
});

function statusAfter(...types) {
  const handshake = new HandshakeStatus();
  handshake.reset();
  handshake.update(event("a", 1, { type: "scope" }));
  types.forEach((type, index) => handshake.update(event("a", index + 2, { type })));
  return handshake.text();
}

test("the recording says how the server answered a handshake", () => {
  assert.match(statusAfter("websocket.close"), /HTTP 403/);
  assert.match(statusAfter("raised"), /HTTP 500/);
  assert.match(statusAfter("raised", "websocket.close"), /HTTP 500/);
  assert.match(statusAfter(), /no event was recorded/);
});

test("events of the connection before, which arrive late, do not answer a handshake", () => {
  const handshake = new HandshakeStatus();
  handshake.reset();
  handshake.update(event("a", 1, { type: "scope" }));
  handshake.update(event("a", 2, { type: "websocket.accept" }));
  handshake.update(event("b", 1, { type: "scope" }));
  handshake.update(event("a", 3, { type: "finished" }));
  assert.match(handshake.text(), /no event was recorded/);
  handshake.update(event("b", 2, { type: "websocket.close" }));
  assert.match(handshake.text(), /HTTP 403/);
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
