// One WebSocket of the lesson's, and what the browser is told about it: nothing more than that.

import { bytesOf, hexOf } from "./bytes.js";
import { socketUrl } from "./lasting.js";

export class Client {
  constructor(host, watched, { onSeen, onState }) {
    this.host = host;
    this.watched = watched;
    this.onSeen = onSeen;
    this.onState = onState;
    this.socket = null;
  }

  // Throws what the browser throws, for a malformed path or subprotocol.
  connect(path, subprotocols) {
    if (!path.startsWith("/")) throw new Error("A path begins with a slash.");
    const socket = new WebSocket(socketUrl(this.host, this.watched + path), subprotocols);
    socket.binaryType = "arraybuffer";
    let opened = false;
    socket.onopen = () => {
      opened = true;
      const chosen = socket.protocol && `, subprotocol ${socket.protocol}`;
      this.onSeen("open", chosen ? `subprotocol: ${socket.protocol}` : "");
      if (socket === this.socket) this.onState("open", `Open${chosen}.`);
    };
    socket.onmessage = ({ data }) => {
      const isText = typeof data === "string";
      this.onSeen("message", isText ? JSON.stringify(data) : `bytes ${hexOf(data)}`);
    };
    socket.onclose = ({ code, reason, wasClean }) => {
      const because = reason && `, reason: ${reason}`;
      this.onSeen("close", `code ${code}${because}${wasClean ? "" : ", not clean"}`);
      if (socket !== this.socket) return;
      this.socket = null;
      this.onState(opened ? "closed" : "refused", opened ? `Closed with ${code}.` : "Not opened.");
    };
    this.socket?.close();
    this.socket = socket;
    this.onState("connecting", "Connecting…");
  }

  send(kind, payload) {
    if (this.socket?.readyState !== WebSocket.OPEN) throw new Error("Connect first.");
    this.socket.send(kind === "bytes" ? bytesOf(payload) : payload);
  }

  close(code) {
    if (!this.socket) throw new Error("There is nothing to close. Connect first.");
    if (code === "") this.socket.close();
    else if (/^\d+$/.test(code)) this.socket.close(Number(code));
    else throw new Error("A close code is a number.");
  }
}
