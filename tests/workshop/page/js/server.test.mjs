import assert from "node:assert/strict";
import test from "node:test";

import {
  fetchJson,
  playUrl,
  ReconnectingSocket,
  retryImport,
  socketUrl,
} from "../../lessons/web/static/lessons/common/server.js";

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

test("after a success the pauses begin again with the shortest", async (t) => {
  withFakeTimers(t);
  const messages = [];
  const socket = new ReconnectingSocket("ws://a/", (message) => messages.push(message));
  socket.ready().catch(() => {});
  sockets.at(-1).onclose();
  timers.at(-1).call();
  const opened = socket.ready();
  sockets.at(-1).onopen();
  await opened;
  sockets.at(-1).onmessage({ data: '{"a": 1}' });
  sockets.at(-1).onclose();
  assert.deepEqual(messages, [{ a: 1 }]);
  assert.deepEqual(timers.map(({ pause }) => pause), [150, 150]);
});

test("there is one attempt at a time", (t) => {
  withFakeTimers(t);
  const socket = new ReconnectingSocket("ws://a/", () => {});
  socket.ready();
  socket.ready();
  assert.equal(sockets.length, 1);
});

test("an import that fails is tried again", async (t) => {
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (call) => setTimeout(call, 0);
  t.after(() => (globalThis.setTimeout = setTimeout));
  let attempts = 0;
  const load = async () => {
    attempts += 1;
    if (attempts < 3) throw new Error("The server is restarting.");
    return "module";
  };
  assert.equal(await retryImport(load), "module");
  assert.equal(attempts, 3);
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

test("URLs carry the feed and fit the page's protocol", () => {
  assert.equal(playUrl("/a/", "f1", [["step", "a b"], ["step", "c"]]), "/a/?feed=f1&step=a+b&step=c");
  globalThis.location = { protocol: "http:" };
  assert.equal(socketUrl("h:1", "/ws/"), "ws://h:1/ws/");
  globalThis.location = { protocol: "https:" };
  assert.equal(socketUrl("h", "/ws/"), "wss://h/ws/");
});
