// The clients of a lesson's page, one to four: what their forms hold, their connection, their state. And
// what they connect to: the worked example, the student's exercise, the solution or a mistake.

import { batch, effect, signal, untracked } from "../vendor/preact.js";
import { ReconnectingSocket, socketUrl } from "../common/server.js";
import { isOnline, onNews, socket as pageSocket, tell } from "../common/socket.js";
import { LOST_CONNECTION, bytesFromHex, handshakeOf, hexFromBytes } from "./client.js";
import {
  EXAMPLE, lesson, live, liveVersion, markSeen, outside, page, played, saved, showLiveSource, step, target,
} from "./store.js";

export const MAX_CLIENTS = 4;
const REFUSALS = {
  "websocket.close": "Rejected with HTTP 403. The browser reports 1006.",
  raised: "Exception: HTTP 500. The browser reports 1006.",
};

export const clients = signal([]);
let steps = []; // {client, action, arguments}: what the clients did since clear()
const feeds = new Map([[location.host, pageSocket]]); // host → socket
const dropped = new Set(); // the ids of the connections before the last drop

// What both kinds of client have. Their methods throw what the browser throws, such as for a wrong code.
class Client {
  wants = false; // the student has connected it, and has not closed it

  constructor(number, { account = "", origin = "", server = 1 }) {
    this.number = number;
    this.identity = { account, origin };
    this.showsOptions = signal(false);
    this.form = signal({ account, origin, server: page.servers[server - 1]?.host ?? location.host, kind: "text", code: "" });
    this.status = signal(null);
    this.setState("idle");
    this.fill();
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

  async open() {
    this.wants = true;
    if (saved.value) saved.value = null;
    await feedOf(this.form.value.server).ready();
    const path = this.form.value.path.trim();
    if (!path.startsWith("/")) throw new Error("A path begins with a slash.");
    return this.connect({ ...this.form.value, path });
  }

  // The path at which the server records this client. It says what the client connects to, and as whom.
  watchedPath({ path, account, origin }) {
    const played = target.value !== EXAMPLE && { lesson: lesson.key, target: target.value };
    const options = { client: this.number, ...played, ...(account && { as: account }), ...(origin && { origin }) };
    return `/watched/${page.feed}/${encodeURIComponent(new URLSearchParams(options))}${path}`;
  }

  // Keeps a step, as lessons/workshop/engine/script/steps.py describes it in JSON.
  addStep(action, values = {}) {
    steps.push({ client: this.number, action, arguments: values });
    if (target.value === EXAMPLE) markSeen(steps);
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

  setState(state, text = this.isHttp ? "Nothing sent yet." : "Not connected.") {
    this.last = { state, text };
    this.status.value = this.last;
  }

  // The state in words. The server may have ended: a close code alone would not say so.
  get text() {
    const { state, text } = this.status.value;
    const isClosed = ["closed", "refused"].includes(state);
    if (isClosed && !isOnline.value) return "Closed with 1006: the workshop does not answer.";
    return state === "refused" ? this.refusal() : text;
  }

  // The browser hides the server's answer to a handshake from a page, so the recording supplies it.
  refusal() {
    liveVersion.value;
    const isOwn = ({ of, event }) => event && of.client === String(this.number) && of.ordinal > this.known;
    const answer = live.entries.filter(isOwn).map(({ event }) => REFUSALS[event.message.type]).find(Boolean);
    if (answer) return answer;
    const isRunning = target.value === EXAMPLE || ["ready", "restarted"].includes(played.value.state);
    if (!isRunning) return "Not opened: its code does not run.";
    // The feed belongs to a session, and a login or logout replaces the session.
    return "Not opened, and no event was recorded. If you just logged in or out, reload the page.";
  }
}

class WebSocketClient extends Client {
  socket = null; // the one in use

  connect(form) {
    this.known = live.connections.size; // those that began before
    const subprotocols = form.subprotocols.split(/[\s,]+/).filter(Boolean);
    const socket = new WebSocket(socketUrl(form.server, this.watchedPath(form)), subprotocols);
    this.socket?.close();
    this.socket = socket;
    this.listen(socket);
    this.addStep("connect", handshakeOf({ ...form, subprotocols }, lesson.path));
    this.setState("connecting", "Connecting…");
  }

  listen(socket) {
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      const { protocol } = socket;
      if (socket === this.socket) this.setState("open", protocol ? `Open, subprotocol ${protocol}.` : "Open.");
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.socket) return;
      const seen = [`Closed: the browser reports ${code}`, reason && `, “${reason}”`, "."].filter(Boolean).join("");
      if (wasOpen) this.release("closed", code === LOST_CONNECTION ? "Lost: the browser reports 1006." : seen);
      else this.release("refused");
    };
  }

  release(state, text) {
    this.socket = null;
    this.setState(state, text);
  }

  // Sends a frame, even if its payload is empty.
  send() {
    const { kind, payload } = this.form.value;
    const bytes = kind === "bytes" && bytesFromHex(payload);
    this.socket.send(bytes || payload);
    if (!bytes) this.addStep("text", { text: payload });
    else this.addStep("bytes", { hex: hexFromBytes(bytes) });
  }

  close() {
    const code = this.form.value.code.trim();
    if (code === String(LOST_CONNECTION)) throw new Error(`This page uses ${LOST_CONNECTION} for a lost connection.`);
    this.wants = false;
    this.socket.close(...(code ? [Number(code)] : []));
    this.addStep("close", code ? { code: Number(code) } : {});
  }

  // Disconnects without a step: what the page plays has changed.
  drop() {
    this.wants = false;
    if (this.socket) {
      this.socket.onopen = this.socket.onclose = null;
      this.socket.close();
    }
    this.release("idle");
  }

  vanish() {
    const { socket } = this;
    this.wants = false;
    this.addStep("vanish");
    this.release("closed", "Lost, without a close frame.");
    socket.onclose = null;
    socket.close(LOST_CONNECTION);
  }
}

class HttpClient extends Client {
  controller = null;

  get isHttp() {
    return true;
  }

  async connect({ method, path, body }) {
    this.controller?.abort();
    const controller = new AbortController();
    this.controller = controller;
    const say = (state, text) => controller === this.controller && this.setState(state, text);
    const { signal: stopped } = controller;
    say("connecting", "Waiting for the response…");
    try {
      const isPost = method === "POST";
      const place = path.replaceAll(" ", "%20"); // in the text of a step, a space ends the path
      this.addStep(method, { ...(path !== lesson.path && { path: place }), ...(isPost && { body }) });
      const options = { method, signal: stopped, cache: "no-store", ...(isPost && { body }) };
      const response = await fetch(this.watchedPath({ path }), options);
      say("open", `HTTP ${response.status}, the body is arriving.`);
      await response.text();
      say("closed", `HTTP ${response.status}, complete.`);
    } catch {
      say("closed", stopped.aborted ? "You have left." : "The connection was lost.");
    }
    if (controller === this.controller) this.controller = null;
  }

  drop() {
    this.wants = false;
    this.controller?.abort();
    this.controller = null;
    this.setState("idle");
  }

  leave() {
    this.wants = false;
    this.addStep("close");
    this.controller.abort();
  }
}

export function addClient(settings = {}) {
  const number = [1, 2, 3, 4].find((one) => !clients.value.some((client) => client.number === one));
  const Kind = settings.isHttp || lesson.isHttp ? HttpClient : WebSocketClient;
  const made = new Kind(number, settings);
  clients.value = [...clients.value, made].sort((one, other) => one.number - other.number);
  return made;
}

export function removeClient(client) {
  client.drop();
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
  const { port } = page.servers.find(({ host }) => host === message.server) ?? {};
  live.add({ ...message, events }, { client: String(message.client), server: port ? `:${port}` : "" });
  return undefined;
}

// Forgets all live events and steps.
export function clear() {
  batch(() => {
    live.clear();
    saved.value = null;
    steps = [];
  });
}

// Lets the clients connect to another target.
export function playTarget(name) {
  if (name === target.value) return;
  for (const connection of live.connections.keys()) dropped.add(connection);
  for (const client of clients.value) client.drop();
  batch(() => {
    live.connections.clear(); // the consumers of this target are numbered from 1
    target.value = name;
    played.value = { state: name === EXAMPLE ? "" : "starting", finding: null, reason: "" };
    outside.value = "";
    for (const client of clients.value) client.fill();
    clear();
  });
  const message = { play: { lesson: lesson.key, target: name } };
  for (const feed of feeds.values()) feed.send(message).catch(() => {}); // a server that has ended plays nothing
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
