// What was done on this page, in the steps of lessons/checking/conversation.py: "1 connect ?a=1",
// "1 text hello", "2 close 1001", "2 vanish". What is played again begins with these.

const LATE = 300; // ms: what comes later than that after a step has been waited for

export class Played {
  constructor(now = () => performance.now()) {
    this.now = now;
    this.clear();
  }

  clear() {
    this.done = [];
    this.last = this.heardAt = 0; // when the last step was, and the last frame from the server
  }

  // `client` is its number on the page; it may connect more than once.
  add(client, step) {
    this.wait();
    this.done.push(`${client} ${step}`);
    this.last = this.heardAt = this.now();
  }

  // The server said something: whoever plays this again has to wait for it, too.
  heard() {
    this.heardAt = this.now();
  }

  // All of it, in order; empty where nobody has connected since clear().
  steps() {
    this.wait();
    return [...this.done];
  }

  wait() {
    if (!this.done.length || this.heardAt - this.last < LATE) return;
    this.done.push(`wait ${((this.heardAt - this.last) / 1000).toFixed(1)}`);
    this.last = this.heardAt;
  }
}

// The step of a handshake. Words are kept apart by spaces, which a path or a query does not have.
export function connecting({ path, subprotocols = [], as = "", origin = "" }) {
  const [, place, query] = /^([^?]*)(.*)$/s.exec(path);
  const words = ["connect", encodeURI(decodeURI(place)), query.replaceAll(" ", "%20")];
  if (subprotocols.length) words.push(`subprotocols=${subprotocols.join(",")}`);
  if (as) words.push(`as=${as}`);
  if (origin) words.push(`origin=${origin}`);
  return words.filter(Boolean).join(" ");
}
