// One WebSocket of the lesson's, and what the browser is told about it: nothing more than that.

import { bytesOf, hexOf } from "./bytes.js";
import { socketUrl } from "./lasting.js";
import { requireJson } from "./json.js";
import { connecting } from "./played.js";

const VANISHED = 4999; // the server takes it for a lost connection: no page can make one

export class Client {
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
      this.onSeen("message", isText ? JSON.stringify(data) : `bytes ${hexOf(data)}`);
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
    const bytes = kind === "bytes" && bytesOf(payload);
    this.socket.send(bytes || payload);
    this.note(bytes ? `bytes ${hexOf(bytes).replaceAll(" ", "")}` : `text ${payload}`);
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
