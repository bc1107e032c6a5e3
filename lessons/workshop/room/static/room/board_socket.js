// The socket of a board. It connects again by itself, and each time the room sends a new snapshot.

const MAX_PAUSE = 4; // seconds
const MAX_WAIT = 8000; // milliseconds for an answer
const UNKNOWN = "The action may still happen. Check that before you try again.";
const FINAL = {
  4401: "You are not logged in any more. Reload the page.",
  4404: "This class was deleted.",
};

export class BoardSocket {
  requests = new Map(); // request → {resolve, reject}
  number = 0;
  pause = 1;
  hasEnded = false; // the room has closed with a final code

  // Calls `onFrame` with each frame, and `onState` with "connected", "waiting", or why it has ended.
  constructor(url, onFrame, onState) {
    Object.assign(this, { url, onFrame, onState });
    addEventListener("online", () => this.connect());
    this.connect();
  }

  connect() {
    if (this.hasEnded || this.socket?.readyState < WebSocket.CLOSING) return;
    clearTimeout(this.timer);
    this.socket = new WebSocket(this.url);
    this.socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    this.socket.onclose = ({ code }) => this.closed(code);
  }

  take(frame) {
    const waiting = this.requests.get(frame.request);
    if (frame.type === "snapshot") {
      this.pause = 1;
      this.onState("connected");
    }
    if (frame.type !== "done" && frame.type !== "error") return this.onFrame(frame);
    this.requests.delete(frame.request);
    if (frame.type === "done") return waiting?.resolve();
    return waiting?.reject(new Error(frame.text));
  }

  closed(code) {
    for (const { reject } of this.requests.values()) reject(new Error(`The connection was lost. ${UNKNOWN}`));
    this.requests.clear();
    this.hasEnded = Object.hasOwn(FINAL, code);
    if (this.hasEnded) return this.onState(FINAL[code]);
    this.onState("waiting");
    // Full jitter: after a restart of the server, all boards do not come back at the same moment.
    this.timer = setTimeout(() => this.connect(), Math.random() * this.pause * 1000);
    this.pause = Math.min(this.pause * 2, MAX_PAUSE);
    return undefined;
  }

  // Sends a frame. The promise settles with the room's answer.
  send(frame) {
    if (this.socket.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Error("The room is not connected. Nothing was sent."));
    }
    const request = (this.number += 1);
    this.socket.send(JSON.stringify({ ...frame, request }));
    return new Promise((resolve, reject) => {
      this.requests.set(request, { resolve, reject });
      setTimeout(() => {
        if (this.requests.delete(request)) reject(new Error(`The room does not answer. ${UNKNOWN}`));
      }, MAX_WAIT);
    });
  }
}
