// Events for the tests, and what Node 18 lacks.

globalThis.CustomEvent ??= class extends Event {
  constructor(type, { detail }) {
    super(type);
    this.detail = detail;
  }
};

export function event(connection, seq, { time = seq, lane = "client", direction = "in", ...rest } = {}) {
  const message = { type: rest.type ?? "websocket.receive" };
  const { handler = null, text = message.type } = rest;
  return { connection, seq, time, lane, direction, message, text, handler, thread: "MainThread" };
}

// A connection: its scope, `websocket.connect`, the answer to it, and its end.
export function conversation(connection, begin = 0) {
  const at = (seconds) => begin + seconds;
  return [
    event(connection, 1, { time: at(0), type: "scope" }),
    event(connection, 2, { time: at(0.1), type: "websocket.connect", handler: "connect" }),
    event(connection, 3, { time: at(0.2), type: "websocket.accept", direction: "out", handler: "connect" }),
    event(connection, 4, { time: at(0.3), type: "finished", lane: "consumer", direction: "mark" }),
  ];
}
