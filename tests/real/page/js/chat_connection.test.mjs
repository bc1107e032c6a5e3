import assert from "node:assert/strict";
import test, { mock } from "node:test";

import { Connection, retryDelay } from "../../../../lessons/extras/static/chat/connection.js";

class FakeSocket {
  static OPEN = 1;
  static opened = [];

  constructor(url) {
    this.url = url;
    this.readyState = FakeSocket.OPEN;
    this.sent = [];
    FakeSocket.opened.push(this);
  }

  send(text) {
    this.sent.push(text.startsWith("{") ? JSON.parse(text) : text);
  }

  receive(...frames) {
    for (const frame of frames) this.onmessage({ data: JSON.stringify(frame) });
  }
}

globalThis.location = { protocol: "http:", host: "here" };
globalThis.WebSocket = FakeSocket;

function open(t) {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => mock.timers.reset());
  FakeSocket.opened = [];
  const frames = [];
  const states = [];
  const connection = new Connection("/ws/chat/lobby/", {
    onFrame: (frame) => frames.push(frame),
    onState: (state) => states.push(state),
  });
  connection.open();
  return { connection, frames, states, socket: () => FakeSocket.opened.at(-1) };
}

test("the first attempt comes within a second, and each limit is twice the last one", () => {
  const limits = [0, 1, 2, 3, 4, 5, 6, 1000].map((attempts) => retryDelay(attempts, () => 1));
  assert.deepEqual(limits, [1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
});

test("an attempt that fails doubles the limit, and the first list of users begins again", (t) => {
  t.mock.method(Math, "random", () => 0.5);
  const page = open(t);
  for (const delay of [500, 1000, 2000]) {
    const number = FakeSocket.opened.length;
    page.socket().onclose({ code: 1006 });
    mock.timers.tick(delay - 1);
    assert.equal(FakeSocket.opened.length, number);
    mock.timers.tick(1);
    assert.equal(FakeSocket.opened.length, number + 1);
  }
  page.socket().receive({ here: [], guests: 1 });
  page.socket().onclose({ code: 1006 });
  mock.timers.tick(500);
  assert.equal(FakeSocket.opened.length, 5);
});

test("a page that was too slow returns with the id of its last message", (t) => {
  const page = open(t);
  page.socket().receive({ message: "one", id: 7 });
  page.socket().onclose({ code: 4413 });
  mock.timers.tick(1000);
  assert.equal(page.socket().url, "ws://here/ws/chat/lobby/?seen=7");
});

test("the page confirms what it has read", (t) => {
  const page = open(t);
  page.socket().receive({ message: "one", id: 1 }, { confirm: "a1" });
  assert.deepEqual(page.socket().sent, ["a1"]);
});

test("a message is sent again until the server has saved it", (t) => {
  const page = open(t);
  page.connection.post("hello");
  const [{ key }] = page.socket().sent;
  page.socket().onclose({ code: 1006 });
  mock.timers.tick(1000);
  page.socket().onopen();
  assert.deepEqual(page.socket().sent, [{ message: "hello", key }]);
  page.socket().receive({ message: "hello", id: 1 });
  assert.equal(page.connection.outbox.size, 1);
  page.socket().receive({ saved: key });
  assert.equal(page.connection.outbox.size, 0);
});

test("a message that the server rejects for good is given back to the page", (t) => {
  const page = open(t);
  page.connection.post("bad");
  const [{ key }] = page.socket().sent;
  page.socket().receive({ error: "No.", key });
  assert.deepEqual(page.frames, [{ error: "No.", key, text: "bad" }]);
  assert.equal(page.connection.outbox.size, 0);
});

test("a message that is over a limit is sent again", (t) => {
  const page = open(t);
  page.connection.post("too much");
  page.socket().receive({ error: "Wait a minute." });
  mock.timers.tick(3000);
  assert.deepEqual(page.socket().sent.map((request) => request.message), ["too much", "too much"]);
});
