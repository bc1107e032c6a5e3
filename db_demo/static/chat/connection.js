// One room's WebSocket, kept open: it comes back by itself, says what it has seen, and sends again
// what nobody has confirmed.

const FIRST_WAIT = 500; // milliseconds; doubled each time, up to:
const LONGEST_WAIT = 30_000;
const AGAIN = 3_000; // after a frame was refused as one too many

// Codes after which coming back would end the same way.
const FINAL = {
  4400: "The server did not understand this page. Reload it.",
  4401: "You are logged out. Log in, then reload this page.",
  4403: "This room is private, and you are not a member.",
  4404: "There is no room of that name.",
};
const IDLE = 4408;
const TOO_MANY = 4429;

export class Connection {
  seen = 0;
  attempts = 0;
  outbox = new Map(); // key → text, in the order of writing
  socket = null;

  constructor(path, { onFrame, onState }) {
    this.url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
    this.onFrame = onFrame;
    this.onState = onState;
  }

  open() {
    clearTimeout(this.timer);
    this.onState("connecting", "Connecting…");
    const socket = new WebSocket(`${this.url}?seen=${this.seen}`);
    socket.onopen = () => this.flush();
    socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    socket.onclose = ({ code }) => this.closed(code);
    this.socket = socket;
  }

  // Come back now, where a timer or an idle end stands in between.
  resume() {
    if (this.socket === null && !this.over) this.open();
  }

  say(text) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const key = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.outbox.set(key, text);
    this.resume();
    this.send({ message: text, key });
  }

  typing() {
    this.send({ typing: true });
  }

  send(request) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(request));
  }

  flush() {
    for (const [key, message] of this.outbox) this.send({ message, key });
  }

  take(frame) {
    if ("id" in frame) {
      if (frame.id <= this.seen) return;
      this.seen = frame.id;
    }
    if ("ready" in frame) {
      this.attempts = 0;
      this.onState("open", "Connected.");
    }
    const text = this.outbox.get(frame.key);
    this.outbox.delete(frame.key);
    if ("error" in frame && !frame.key && this.outbox.size) {
      clearTimeout(this.again);
      this.again = setTimeout(() => this.flush(), AGAIN);
    }
    this.onFrame("error" in frame ? { ...frame, text } : frame);
  }

  closed(code) {
    this.socket = null;
    clearTimeout(this.again);
    if (code in FINAL) {
      this.over = true;
      this.onState("over", FINAL[code]);
    } else if (code === IDLE) {
      this.onState("idle", "Paused, since you said nothing for long. Press a key to go on.");
    } else {
      this.comeBack(code === TOO_MANY ? LONGEST_WAIT : FIRST_WAIT * 2 ** this.attempts);
    }
  }

  comeBack(wait) {
    this.attempts += 1;
    // Not all at once: after a restart each page would knock at the same moment.
    const pause = Math.min(wait, LONGEST_WAIT) * (0.5 + Math.random() / 2);
    this.onState("waiting", "Connection lost. Coming back by itself…");
    this.timer = setTimeout(() => this.open(), pause);
  }
}
