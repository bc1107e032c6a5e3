// The clients of a lesson's page, one to four: what their forms hold, their connection, their state. And
// what they connect to: the worked example, the student's exercise, the solution or a mistake.

import { batch, effect, signal, untracked } from "../vendor/preact.js";
import { ReconnectingSocket, socketUrl } from "../common/server.js";
import { isOnline, onNews, socket as pageSocket, tell } from "../common/socket.js";
import { HandshakeStatus, HttpClient, WebSocketClient } from "./client.js";
import { EXAMPLE, lesson, live, log, markSeen, outside, page, played, saved, showLiveSource, step, target } from "./store.js";

export const MAX_CLIENTS = 4;
const MAX_LOG_LINES = 200;

export const clients = signal([]);
let steps = []; // {client, action, arguments}: what the clients did since clear()
const feeds = new Map([[location.host, pageSocket]]); // host → socket
const connections = new Set(); // the ids of all connections so far
let dropped = new Set(); // the ids of those before the last drop

class Client {
  handshake = new HandshakeStatus();
  wants = false; // the student has connected it, and has not closed it
  opening = null; // the step that opened its connection of now

  constructor(number, { account = "", origin = "", server = 1, isHttp = false } = {}) {
    this.number = number;
    this.isHttp = isHttp || lesson.isHttp;
    this.identity = { account, origin };
    this.last = { state: "idle", text: this.isHttp ? "Nothing sent yet." : "Not connected." };
    this.status = signal(this.last);
    this.showsOptions = signal(false);
    this.form = signal({ account, origin, server: page.servers[server - 1]?.host ?? location.host, kind: "text", code: "" });
    this.fill();
    const Kind = this.isHttp ? HttpClient : WebSocketClient;
    this.connection = new Kind({
      watched: { path: `/watched/${page.feed}`, number },
      options: () => (target.value === EXAMPLE ? {} : { lesson: lesson.key, target: target.value }),
      home: lesson.path,
      onStep: (one) => {
        steps.push({ client: number, ...one });
        if (one.action === "connect") this.opening = steps.at(-1);
        if (target.value === EXAMPLE) markSeen(steps);
      },
      onLog: (kind, text) => {
        log.value = [...log.value, { kind, text, client: this.name }].slice(-MAX_LOG_LINES);
      },
      onState: (state, text) => this.setState(state, text),
    });
  }

  // The values with which the consumer of now accepts it.
  fill() {
    const opening = page.openings[target.value === EXAMPLE ? EXAMPLE : "exercise"];
    const account = page.accounts.includes(opening.account) ? opening.account : opening.account && "student";
    const path = this.isHttp ? opening.requestPath : opening.path;
    this.form.value = { ...this.form.value, ...opening, path, account: this.identity.account || account };
  }

  set(name, value) {
    this.form.value = { ...this.form.value, [name]: value };
  }

  get isOpen() {
    return this.status.value.state === "open";
  }

  // What distinguishes this client from the other clients of the page.
  get name() {
    const { server } = this.form.value;
    const port = page.servers.length > 1 ? page.servers.find(({ host }) => host === server)?.port : "";
    return [clients.value.length > 1 ? this.number : "", port && `:${port}`].filter(Boolean).join(" ");
  }

  async open() {
    const { server, path, subprotocols, account, origin, method, body } = this.form.value;
    this.wants = true;
    if (saved.value) saved.value = null;
    await feedOf(server).ready();
    if (this.isHttp) return this.connection.send(method, path.trim(), body);
    this.handshake.reset();
    const offered = subprotocols.split(/[\s,]+/).filter(Boolean);
    return this.connection.connect({ host: server, path: path.trim(), subprotocols: offered, account, origin });
  }

  send() {
    const { kind, payload } = this.form.value;
    this.connection.send(kind, payload);
  }

  close() {
    this.wants = false;
    this.connection.close(this.form.value.code.trim());
  }

  leave(how) {
    this.wants = false;
    this.connection[how]();
  }

  // Shows the error if the browser or this page rejects the action.
  async attempt(action) {
    try {
      await action();
      if (this.status.value.state === "wrong") this.status.value = this.last;
    } catch (error) {
      this.status.value = { state: "wrong", text: error.message };
    }
  }

  setState(state, text) {
    if (state !== "open" && state !== "connecting") this.opening = null;
    this.last = { state, text: state === "refused" ? this.refusal() : text };
    this.status.value = this.last;
  }

  refusal() {
    const isRunning = target.value === EXAMPLE || ["ready", "restarted"].includes(played.value.state);
    return this.handshake.status || isRunning ? this.handshake.text() : "Not opened: its code does not run.";
  }

  // Takes events that the server recorded of this client.
  take(events) {
    for (const event of events) this.handshake.update(event);
    if (this.status.value.state === "refused") this.status.value = { state: "refused", text: this.refusal() };
  }

  drop() {
    this.wants = false;
    this.connection.drop();
  }
}

export function addClient(settings) {
  const number = [1, 2, 3, 4].find((one) => !clients.value.some((client) => client.number === one));
  const made = new Client(number, settings);
  clients.value = [...clients.value, made].sort((one, other) => one.number - other.number);
  return made;
}

export function removeClient(client) {
  if (client.isOpen) client.close();
  clients.value = clients.value.filter((one) => one !== client);
}

function feedOf(host) {
  if (!feeds.has(host)) {
    feeds.set(host, new ReconnectingSocket(socketUrl(host, `/ws/feed/${page.feed}/`), take));
  }
  return feeds.get(host);
}

// Events of the target before may arrive after a drop, even the first ones of a connection.
function take(message) {
  if (message.played) return setPlayed(message.played);
  if (message.outside !== undefined) return showOutside(message.outside);
  if (!message.events || message.target !== target.value) return undefined;
  const events = message.events.filter(({ connection }) => !dropped.has(connection));
  if (!events.length) return undefined;
  for (const { connection } of events) connections.add(connection);
  clients.value.find(({ number }) => number === message.client)?.take(events);
  const { port } = page.servers.find(({ host }) => host === message.server) ?? {};
  live.add({ ...message, events }, { client: String(message.client), server: port ? `:${port}` : "" });
  return undefined;
}

// Forgets all live events, the log, and the steps but those that opened the connections of now.
export function clear() {
  batch(() => {
    live.clear();
    saved.value = null;
    log.value = [];
    steps = clients.value.map(({ opening }) => opening).filter(Boolean);
  });
}

// Lets the clients connect to another target.
export function playTarget(name) {
  if (name === target.value) return;
  dropped = new Set(connections);
  for (const client of clients.value) client.drop();
  batch(() => {
    live.connections.clear(); // the consumers of this target are numbered from 1
    target.value = name;
    played.value = { state: name === EXAMPLE ? "" : "starting", finding: null, reason: "" };
    outside.value = "";
    for (const client of clients.value) client.fill();
    clear();
  });
  tell({ play: { lesson: lesson.key, target: name } });
  for (const [host, feed] of feeds) {
    if (host !== location.host) feed.send({ play: { lesson: lesson.key, target: name } }).catch(() => {});
  }
  showLiveSource();
}

function setPlayed(news) {
  if (news.target !== target.value) return;
  const hasChanged = news.state !== played.value.state;
  played.value = news;
  if (hasChanged && !["starting", "refused"].includes(news.state)) showLiveSource();
  if (news.state !== "restarted") return;
  live.endAll();
  for (const client of clients.value) if (client.wants && !client.isHttp) client.attempt(() => client.open());
}

function showOutside(text) {
  outside.value = text;
  live.mark(`from outside: ${text}`);
}

export function takeOutsideStep(number) {
  outside.value = "";
  tell({ outside: number });
}

onNews(take);
for (const settings of page.clients) addClient(settings);

// The step Do plays the student's own code, the others the worked example.
effect(() => {
  const isDo = step.value === "do" && lesson.isPlayable;
  if (["predict", "see", "do"].includes(step.value)) untracked(() => playTarget(isDo ? "exercise" : EXAMPLE));
});

// The server has ended. A close code alone would not say so.
effect(() => isOnline.value || untracked(explainLoss));

function explainLoss() {
  for (const client of clients.value) {
    const { state } = client.status.value;
    if (state === "closed" || state === "refused") client.setState(state, "Closed with 1006: the workshop does not answer.");
  }
}
