// The WebSocket of one room. It reconnects by itself and sends the id of its last message. It sends
// its own messages again until the server has saved them. It confirms what it has read, because the
// server closes a connection that reads too slowly.

const FIRST_DELAY = 1_000; // milliseconds, at most, before the first new attempt; each one doubles it
const MAX_DELAY = 30_000;
const RESEND_DELAY = 3_000; // after the server rejected a frame because of the rate limit

// After these codes, a new connection would end in the same way.
const FINAL = {
  4400: "The server did not understand this page. Reload it.",
  4401: "You are logged out. Log in, then reload this page.",
  4403: "This room is private, and you are not a member.",
  4404: "A room cannot have this name.",
};
const IDLE = 4408;
const TOO_MANY = 4429;

// Exponential back-off with full jitter: any time up to the limit is as likely as any other. So the
// pages that a server has lost do not all return at the same moment.
export function retryDelay(attempts, random = Math.random) {
  return random() * Math.min(FIRST_DELAY * 2 ** attempts, MAX_DELAY);
}

export class Connection {
  seen = 0;
  attempts = 0;
  outbox = new Map(); // key → text of each message that is not confirmed, oldest first
  socket = null;

  constructor(path, { onFrame, onState }) {
    this.url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
    this.onFrame = onFrame;
    this.onState = onState;
  }

  open() {
    clearTimeout(this.timer);
    this.isReady = false;
    this.onState("connecting", "Connecting…");
    const socket = new WebSocket(`${this.url}?seen=${this.seen}`);
    socket.onopen = () => this.sendOutbox();
    socket.onmessage = ({ data }) => this.handleFrame(JSON.parse(data));
    socket.onclose = ({ code }) => this.handleClose(code);
    this.socket = socket;
  }

  // Reconnect now, without waiting for the timer, or after the server closed an idle connection.
  resume() {
    if (this.socket === null && !this.over) this.open();
  }

  post(text) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const key = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.outbox.set(key, text);
    this.resume();
    this.send({ message: text, key });
  }

  send(request) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(request));
  }

  sendOutbox() {
    for (const [key, message] of this.outbox) this.send({ message, key });
  }

  handleFrame(frame) {
    if ("id" in frame) {
      if (frame.id <= this.seen) return;
      this.seen = frame.id;
    }
    if ("here" in frame && !this.isReady) {
      this.isReady = true; // the first list of users comes after the history
      this.attempts = 0;
      this.onState("open", "Connected.");
    }
    if ("confirm" in frame) this.socket.send(frame.confirm);
    const key = frame.saved ?? frame.key;
    const text = this.outbox.get(key);
    this.outbox.delete(key);
    if ("error" in frame && !frame.key && this.outbox.size) {
      clearTimeout(this.resendTimer);
      this.resendTimer = setTimeout(() => this.sendOutbox(), RESEND_DELAY);
    }
    this.onFrame("error" in frame ? { ...frame, text } : frame);
  }

  handleClose(code) {
    this.socket = null;
    clearTimeout(this.resendTimer);
    if (code in FINAL) {
      this.over = true;
      this.onState("over", FINAL[code]);
    } else if (code === IDLE) {
      this.onState("idle", "Paused, because you were idle. Press a key to reconnect.");
    } else {
      const delay = retryDelay(code === TOO_MANY ? Infinity : this.attempts);
      this.attempts += 1;
      this.onState("waiting", "Connection lost. Reconnecting…");
      this.timer = setTimeout(() => this.open(), delay);
    }
  }
}
