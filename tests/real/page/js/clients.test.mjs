import assert from "node:assert/strict";
import test from "node:test";

import { bytesFromHex, handshakeOf, hexFromBytes } from "../../../../lessons/workshop/page/static/lessons/lesson/client.js";

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
