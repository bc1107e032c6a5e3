// What was done on this page, in the steps of lessons/playback/conversation.py: "1 connect ?a=1",
// "1 text hello", "2 close 1001", "2 vanish". What is played again begins with these.

const LATE = 300; // ms: what comes later than that after a step has been waited for

export class PlayedSteps {
  constructor(now = () => performance.now()) {
    this.now = now;
    this.open = new Map(); // client → the step with which it connected
    this.clear();
  }

  // From here on; those who are connected have connected.
  clear() {
    this.done = [...this.open].map(([client, step]) => `${client} ${step}`);
    this.last = this.heardAt = this.now(); // when the last step was, and the last sign of a server
  }

  // `client` is its number on the page; it may connect more than once.
  add(client, step) {
    this.wait();
    this.done.push(`${client} ${step}`);
    if (step.startsWith("connect")) this.open.set(client, step);
    this.last = this.heardAt = this.now();
  }

  over(client) {
    this.open.delete(client);
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

// The step of a handshake; `home` is the lesson's own path, which goes without saying, as does who
// is nobody. Words are kept apart by spaces, so neither path nor query may have one.
export function connecting({ path, subprotocols, account, origin }, home) {
  const [place, query] = path.replaceAll(" ", "%20").split(/(?=\?)/, 2);
  const words = ["connect", place === home ? "" : place, query];
  if (subprotocols.length) words.push(`subprotocols=${subprotocols.join(",")}`);
  if (account && account !== "anonymous") words.push(`as=${account}`);
  if (origin) words.push(`origin=${origin}`);
  return words.filter(Boolean).join(" ");
}
