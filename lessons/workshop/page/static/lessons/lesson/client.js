// The two kinds of client on a page: a WebSocket, and an HTTP request.

import { socketUrl } from "../common/server.js";

// Neither a page nor a consumer's process can lose a connection of the server. With this code, each
// says that it did.
const LOST_CONNECTION = 4999;

// Both get `watched`, {path, number}, `home`, the lesson's own path, and `options`, a function that
// returns what the path says about the target. They call `onStep` with each step that was played, as
// lessons/workshop/engine/script/steps.py describes it in JSON, `onLog`, and `onState`.
export class WebSocketClient {
  socket = null; // the one in use

  constructor(options) {
    Object.assign(this, options);
  }

  // Throws what the browser throws for a malformed path or subprotocol.
  connect({ host, path, subprotocols, account, origin }) {
    if (!path.startsWith("/")) throw new Error("A path begins with a slash.");
    const identity = identityOf(this);
    if (account) identity.set("as", account);
    if (origin) identity.set("origin", origin);
    const watchedPath = `${this.watched.path}/${encodeURIComponent(identity)}${path}`;
    const socket = new WebSocket(socketUrl(host, watchedPath), subprotocols);
    if (this.socket) this.close("");
    this.socket = socket;
    this.listen(socket);
    this.onStep(connectStep({ path, subprotocols, account, origin }, this.home));
    this.onState("connecting", "Connecting…");
  }

  listen(socket) {
    let wasOpen = false;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      wasOpen = true;
      const { protocol } = socket;
      this.onLog("open", protocol && `subprotocol: ${protocol}`);
      if (socket !== this.socket) return;
      this.onState("open", protocol ? `Open, subprotocol ${protocol}.` : "Open.");
    };
    socket.onmessage = ({ data }) => {
      this.onLog("message", typeof data === "string" ? JSON.stringify(data) : `bytes ${hexFromBytes(data)}`);
    };
    socket.onclose = (event) => {
      const isLost = event.code === LOST_CONNECTION;
      const { code, reason, wasClean } = isLost ? { code: 1006, wasClean: false } : event;
      const details = [`code ${code}`, reason && `reason: ${reason}`, !wasClean && "not clean"];
      this.onLog("close", details.filter(Boolean).join(", "));
      if (socket !== this.socket) return;
      if (wasOpen) this.release("closed", isLost ? "Lost: the browser reports 1006." : `Closed: the browser reports ${code}.`);
      else this.release("refused", "Not opened.");
    };
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  release(state, text) {
    this.socket = null;
    this.onState(state, text);
  }

  // Sends a frame, even if its payload is empty.
  send(kind, payload) {
    const bytes = kind === "bytes" && bytesFromHex(payload);
    this.socket.send(bytes || payload);
    if (!bytes) this.onStep({ action: "text", arguments: { text: payload } });
    else this.onStep({ action: "bytes", arguments: { hex: hexFromBytes(bytes).replaceAll(" ", "") } });
  }

  close(code) {
    if (code === String(LOST_CONNECTION)) throw new Error(`This page uses ${LOST_CONNECTION} for a lost connection.`);
    const wasOpen = this.isOpen;
    this.socket.close(...(code ? [Number(code)] : []));
    if (wasOpen) this.onStep({ action: "close", arguments: code ? { code: Number(code) } : {} });
  }

  // Disconnects without a step: what the page plays has changed.
  drop() {
    const { socket } = this;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    this.release("idle", "Not connected.");
  }

  vanish() {
    const { socket } = this;
    this.onStep({ action: "vanish", arguments: {} });
    this.release("closed", "Lost, without a close frame.");
    socket.onmessage = socket.onclose = null; // a client that vanished receives nothing
    socket.close(LOST_CONNECTION);
  }
}

export class HttpClient {
  controller = null;

  constructor(options) {
    Object.assign(this, options);
  }

  // Throws what the browser throws for a malformed path.
  async send(method, path, body) {
    if (!path.startsWith("/")) throw new Error("A path begins with a slash.");
    this.controller?.abort();
    const controller = new AbortController();
    this.controller = controller;
    const say = (state, text) => controller === this.controller && this.onState(state, text);
    const { signal } = controller;
    say("connecting", "Waiting for the response…");
    try {
      const isPost = method === "POST";
      const place = path.replaceAll(" ", "%20"); // in the text of a step, a space ends the path
      const step = { ...(path !== this.home && { path: place }), ...(isPost && { body }) };
      this.onStep({ action: method, arguments: step });
      const watchedPath = `${this.watched.path}/${encodeURIComponent(identityOf(this))}${path}`;
      const options = { method, signal, cache: "no-store", ...(isPost && { body }) };
      const response = await fetch(watchedPath, options);
      this.onLog("response", `${response.status} ${response.headers.get("content-type") ?? ""}`);
      say("open", `HTTP ${response.status}, the body is arriving.`);
      await this.read(response.body.getReader());
      this.onLog("end", "");
      say("closed", `HTTP ${response.status}, complete.`);
    } catch (error) {
      this.onLog("error", error.name);
      say("closed", signal.aborted ? "You have left." : "The connection was lost.");
    }
    if (controller === this.controller) this.controller = null;
  }

  async read(reader) {
    const decoder = new TextDecoder();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      this.onLog("part", JSON.stringify(decoder.decode(part.value, { stream: true })));
    }
  }

  drop() {
    this.controller?.abort();
    this.controller = null;
    this.onState("idle", "Nothing sent yet.");
  }

  leave() {
    this.onStep({ action: "close", arguments: {} });
    this.controller.abort();
  }
}

// The step of a handshake. It leaves out what the server assumes: the lesson's own path `home`, and
// an anonymous user. A URL cannot contain a space, and in the text of a step a space ends the path.
export function connectStep({ path, subprotocols, account, origin }, home) {
  const [place, query] = path.replaceAll(" ", "%20").split(/\?(.*)/s, 2);
  const values = {
    ...(place !== home && { path: place }),
    ...(query !== undefined && { query }),
    ...(subprotocols.length && { subprotocols }),
    ...(account && account !== "anonymous" && { as: account }),
    ...(origin && { origin }),
  };
  return { action: "connect", arguments: values };
}

// What the server has to know about a client, as the first part of its path.
function identityOf({ watched, options }) {
  return new URLSearchParams({ client: watched.number, ...options() });
}

// Bytes from pairs of hex digits, which spaces or colons may separate.
export function bytesFromHex(hex) {
  const digits = hex.replace(/[\s:]/g, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits)) {
    throw new Error("Bytes are pairs of hex digits, such as 00 ff.");
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function hexFromBytes(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

const STATUSES = { "websocket.accept": 101, "websocket.close": 403, raised: 500 };

// The server's answer to a handshake. The browser hides it from a page, so the recording supplies it.
export class HandshakeStatus {
  reset() {
    this.connection = this.status = null;
  }

  // Call it with each event. The latest scope belongs to the new connection: that of the connection
  // before it may arrive after reset().
  update({ connection, message: { type } }) {
    if (type === "scope" && connection !== this.connection) Object.assign(this, { connection, status: null });
    if (connection !== this.connection) return;
    this.status ??= STATUSES[type];
  }

  text() {
    if (this.status === 403) return "Rejected with HTTP 403. The browser reports 1006.";
    if (this.status === 500) return "Exception: HTTP 500. The browser reports 1006.";
    // The feed belongs to a session, and a login or logout replaces the session.
    return "Not opened, and no event was recorded. If you just logged in or out, reload the page.";
  }
}
