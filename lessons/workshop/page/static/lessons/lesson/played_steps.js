// The steps that the user played on this page, as lessons/workshop/engine/script/steps.py describes a Step in JSON:
// {client, action, arguments}. The server can replay them.

const MIN_WAIT = 300; // milliseconds; if the server's answer takes longer, the replay waits too

export class PlayedSteps {
  constructor(now = () => performance.now()) {
    this.now = now;
    this.open = new Map(); // client → the step with which it connected
    this.clear();
  }

  // Forgets all steps but those that opened the connections of now.
  clear() {
    this.steps = [...this.open.values()];
    this.playedAt = this.answeredAt = this.now();
  }

  // `client` is the client's number on the page. A client may connect several times.
  add(client, step) {
    this.addWait();
    this.steps.push({ client, ...step });
    if (step.action === "connect") this.open.set(client, this.steps.at(-1));
    this.playedAt = this.answeredAt = this.now();
  }

  disconnected(client) {
    this.open.delete(client);
  }

  // The server sent something. A replay must wait for it too.
  answered() {
    this.answeredAt = this.now();
  }

  // All steps as JSON texts, in order. Empty if no client has connected since clear().
  toTexts() {
    this.addWait();
    return this.steps.map((step) => JSON.stringify(step));
  }

  addWait() {
    const waited = this.answeredAt - this.playedAt;
    if (!this.steps.length || waited < MIN_WAIT) return;
    const seconds = Math.round(waited / 100) / 10;
    this.steps.push({ client: 1, action: "wait", arguments: { seconds } });
    this.playedAt = this.answeredAt;
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
