// One WebSocket of the lesson's, and what the browser is told about it: nothing more than that.

import { socketUrl } from "../common/server.js";
import { connecting } from "./played_steps.js";

const VANISHED = 4999; // the server takes it for a lost connection: no page can make one

export class WebSocketClient {
  // `note` takes each step that is done; `onHeard` is called whenever the server says something.
  constructor({ watched, home, note, onHeard, onSeen, onState }) {
    Object.assign(this, { watched, home, note, onHeard, onSeen, onState });
    this.socket = this.left = null; // at most one is in use; `left` is the last that we closed
  }

  // Throws what the browser throws, for a malformed path or subprotocol.
  connect({ host, path, subprotocols, account, origin }) {
    if (!path.startsWith("/")) throw new Error("A path begins with a slash.");
    const step = connecting({ path, subprotocols, account, origin }, this.home);
    const guise = new URLSearchParams({ client: this.watched.number });
    if (account) guise.set("as", account);
    if (origin) guise.set("origin", origin);
    const place = `${this.watched.path}/${encodeURIComponent(guise)}${path}`;
    const socket = new WebSocket(socketUrl(host, place), subprotocols);
    if (this.socket) this.close("");
    this.socket = socket;
    this.listen(socket);
    this.note(step);
    this.onState("connecting", "Connecting…");
  }

  listen(socket) {
    let opened = false;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      opened = true;
      const chosen = socket.protocol && `, subprotocol ${socket.protocol}`;
      this.onSeen("open", chosen ? `subprotocol: ${socket.protocol}` : "");
      if (socket === this.socket) this.onState("open", `Open${chosen}.`);
    };
    socket.onmessage = ({ data }) => {
      this.onHeard();
      const isText = typeof data === "string";
      this.onSeen("message", isText ? JSON.stringify(data) : `bytes ${hexFromBytes(data)}`);
    };
    socket.onclose = ({ code, reason, wasClean }) => {
      const because = reason && `, reason: ${reason}`;
      this.onSeen("close", `code ${code}${because}${wasClean ? "" : ", not clean"}`);
      if (socket !== this.socket) return;
      if (socket !== this.left) this.onHeard();
      this.drop(opened ? "closed" : "refused", opened ? `Closed with ${code}.` : "Not opened.");
    };
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  drop(state, text) {
    this.socket = null;
    this.onState(state, text);
  }

  // An empty payload is a frame, too.
  send(kind, payload) {
    if (!this.isOpen) throw new Error("Connect first.");
    if (kind === "json") requireJson(payload);
    const bytes = kind === "bytes" && bytesFromHex(payload);
    this.socket.send(bytes || payload);
    this.note(bytes ? `bytes ${hexFromBytes(bytes).replaceAll(" ", "")}` : `text ${payload}`);
  }

  close(code) {
    if (!this.socket) throw new Error("There is nothing to close. Connect first.");
    if (!/^\d*$/.test(code)) throw new Error("A close code is a number.");
    if (code === String(VANISHED)) throw new Error(`${VANISHED} is how this page vanishes.`);
    const wasOpen = this.isOpen;
    this.socket.close(...(code ? [Number(code)] : []));
    this.left = this.socket;
    if (wasOpen) this.note(`close ${code}`.trim());
  }

  vanish() {
    if (!this.isOpen) throw new Error("There is nothing to lose. Connect first.");
    const { socket } = this;
    this.note("vanish");
    this.drop("closed", "Vanished, without a close frame.");
    socket.onmessage = socket.onclose = null; // who has vanished is told nothing
    socket.close(VANISHED);
  }
}

// One HTTP request of the lesson's, and what the browser is told of its response, part by part.
export class HttpClient {
  constructor({ watched, note, onHeard, onSeen, onState }) {
    Object.assign(this, { watched, note, onHeard, onSeen, onState, controller: null });
  }

  // Throws what the browser throws, for a malformed path.
  async send(method, path, body) {
    if (!path.startsWith("/")) throw new Error("A path begins with a slash.");
    this.controller?.abort();
    const controller = new AbortController();
    this.controller = controller;
    const say = (state, text) => controller === this.controller && this.onState(state, text);
    const { signal } = controller;
    say("connecting", "Waiting for the response…");
    try {
      const options = { method, signal, cache: "no-store", ...(method === "POST" && { body }) };
      this.note(method === "POST" ? `POST ${JSON.stringify(body)}` : method);
      const place = `${this.watched.path}/client=${this.watched.number}${path}`;
      const response = await fetch(place, options);
      this.onSeen("response", `${response.status} ${response.headers.get("content-type") ?? ""}`);
      say("open", `HTTP ${response.status}, the body is coming.`);
      await this.read(response.body.getReader());
      this.onSeen("end", "");
      say("closed", `HTTP ${response.status}, complete.`);
    } catch (error) {
      this.onSeen("error", error.name);
      say("closed", signal.aborted ? "You have left." : "The connection was lost.");
    }
    if (controller === this.controller) this.controller = null;
  }

  async read(reader) {
    const decoder = new TextDecoder();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      this.onHeard();
      this.onSeen("part", JSON.stringify(decoder.decode(part.value, { stream: true })));
    }
  }

  leave() {
    if (!this.controller) throw new Error("There is nothing to leave. Send a request first.");
    this.note("close");
    this.controller.abort();
  }
}

function requireJson(text) {
  try {
    JSON.parse(text);
  } catch ({ message }) {
    throw new Error(`Not JSON: ${message}. Choose “text” to send it unchanged.`);
  }
}

// Bytes as pairs of hex digits, which the user may separate with spaces or colons.
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
