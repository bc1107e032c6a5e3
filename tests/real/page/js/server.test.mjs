import assert from "node:assert/strict";
import test from "node:test";

import { fetchJson, ReconnectingSocket, socketUrl } from "../../../../lessons/workshop/page/static/lessons/common/server.js";

const sockets = [];
const timers = [];
globalThis.WebSocket = class {
  constructor(url) {
    this.url = url;
    sockets.push(this);
  }
};

// Timers run at once when a test calls them; their pauses are recorded.
function withFakeTimers(t) {
  const { setTimeout } = globalThis;
  sockets.length = timers.length = 0;
  globalThis.setTimeout = (call, pause) => timers.push({ call, pause });
  t.after(() => (globalThis.setTimeout = setTimeout));
}

test("a socket that closes is opened again, after longer and longer pauses", async (t) => {
  withFakeTimers(t);
  const socket = new ReconnectingSocket("ws://a/", () => {});
  const failed = socket.ready();
  sockets.at(-1).onclose();
  await assert.rejects(failed, /unreachable/);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    timers.at(-1).call();
    sockets.at(-1).onclose();
  }
  assert.deepEqual(timers.map(({ pause }) => pause), [150, 300, 600, 1200, 2000, 2000]);
});

test("an error of the server is thrown with its text", async () => {
  const answer = (status, type, body) => async () => ({
    ok: status === 200,
    status,
    headers: new Map([["content-type", type]]),
    json: async () => body,
  });
  globalThis.fetch = answer(200, "application/json", { a: 1 });
  assert.deepEqual(await fetchJson("/"), { a: 1 });
  globalThis.fetch = answer(400, "application/json", { error: "No such mistake." });
  await assert.rejects(fetchJson("/"), { message: "No such mistake." });
  globalThis.fetch = answer(404, "text/html", null);
  await assert.rejects(fetchJson("/"), { message: "The server answers 404. Reload the page." });
});

test("the URL of a socket fits the page's protocol", () => {
  globalThis.location = { protocol: "http:" };
  assert.equal(socketUrl("h:1", "/ws/"), "ws://h:1/ws/");
  globalThis.location = { protocol: "https:" };
  assert.equal(socketUrl("h", "/ws/"), "wss://h/ws/");
});
