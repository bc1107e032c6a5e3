// The clients of a lesson's page, one to four: what their forms hold, their connection, their state. And
// what they connect to: the worked example, the student's exercise, the solution or a mistake.

import { batch, effect, signal, untracked } from "../vendor/preact.js";
import { ReconnectingSocket, socketUrl } from "../common/server.js";
import { isOnline, onNews, socket as pageSocket } from "../common/socket.js";
import { LOST_CONNECTION, bytesFromHex, closeCode, closed, handshakeOf, hexFromBytes, stateAfter } from "./client.js";
import {
  EXAMPLE, fetchConversation, fileDigest, lesson, live, liveVersion, markSeen, page, played, saved, showLiveSource, step, target,
} from "./store.js";
import { Transcript } from "../diagram/transcript.js";

export const MAX_CLIENTS = 4;
const PATIENCE = 400; // milliseconds; a conversation takes less

export const clients = signal([]);
export const isSlow = signal(false); // whether a conversation plays for longer than usual
export const isPlayed = () => target.value !== EXAMPLE;
let steps = []; // {client, action, arguments} or {step}: what has been done since clear()
const feeds = new Map([[location.host, pageSocket]]); // host → socket
const dropped = new Set(); // the ids of the connections before the last drop

// What both kinds of client have. Their methods throw what the browser throws, such as for a wrong code.
class Client {
  constructor(number, { account, origin, server = 1 }) {
    this.number = number;
    this.account = account;
    this.showsOptions = signal(false);
    this.form = signal({ origin: origin ?? "", server, kind: "text", code: "" });
    this.status = signal(null);
    this.setState("idle");
    this.fill();
  }

  // The values with which the consumer of now accepts it.
  fill() {
    const opening = page.openings[isPlayed() ? "exercise" : EXAMPLE];
    const known = opening.account || (isPlayed() && opening.handshake.ticket);
    const account = page.accounts.includes(known) ? known : known && "student";
    const path = this.isHttp ? opening.requestPath : opening.path;
    this.form.value = { ...this.form.value, ...opening, path, account: this.account || account || "" };
  }

  set(name, value) {
    this.form.value = { ...this.form.value, [name]: value };
  }

  get isOpen() {
    this.status.value; // which may be an error
    return this.last.state === "open";
  }

  async open() {
    const path = this.form.value.path.trim();
    if (!path.startsWith("/")) throw new Error("A path begins with a slash.");
    const form = { ...this.form.value, path };
    if (isPlayed()) return this.begin(form);
    saved.value = null;
    await feedOf(this.host).ready();
    return this.connect(form);
  }

  get host() {
    return page.servers[this.form.value.server - 1]?.host ?? location.host;
  }

  // A played client connects. A double click is one.
  begin(form) {
    if (this.last.state === "connecting") return;
    const first = this.beginning(form);
    if (this.isOpen) this.addStep("close");
    this.setState("connecting", "Connecting…");
    this.addStep(...first);
  }

  // The path at which the server records this client. It says as whom the client connects.
  watchedPath({ path, account, origin }) {
    const options = { client: this.number, ...(account && { as: account }), ...(origin && { origin }) };
    return `/watched/${page.feed}/${encodeURIComponent(new URLSearchParams(options))}${path}`;
  }

  // Keeps a step, as lessons/workshop/engine/script/steps.py describes it in JSON.
  addStep(action, values = {}) {
    addStep({ client: this.number, action, arguments: values });
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

  // What a played client knows.
  showPlayed({ connections, events }) {
    const own = connections.findLast(({ client }) => client === String(this.number));
    if (own) this.setState(...stateAfter(events.filter(({ connection }) => connection === own.connection)));
    else if (played.value.finding && this.last.state !== "idle") this.setState("closed", "Nothing was recorded: the finding says why.");
    else this.setState("idle");
  }

  // The state in words. The server may have ended: a close code alone would not say so.
  get text() {
    const { state, text } = this.status.value;
    if (isPlayed() || !["closed", "refused"].includes(state)) return text;
    if (!isOnline.value) return "Closed with 1006: the workshop does not answer.";
    return state === "refused" ? this.refusal() : text;
  }

  // The browser hides the server's answer to a handshake from a page, so the recording supplies it.
  refusal() {
    liveVersion.value;
    const isOwn = ({ of, event }) => event && of.client === String(this.number) && of.ordinal > this.known;
    const [state, text] = stateAfter(live.entries.filter(isOwn).map(({ event }) => event));
    // The feed belongs to a session, and a login or logout replaces the session.
    return state === "refused" ? text : "Not opened, and no event was recorded. If you just logged in or out, reload the page.";
  }
}

const offered = ({ subprotocols }) => subprotocols.split(/[\s,]+/).filter(Boolean);

class WebSocketClient extends Client {
  socket = null; // the one in use

  beginning(form) {
    return ["connect", handshakeOf({ ...form, subprotocols: offered(form) }, lesson.path)];
  }

  connect(form) {
    this.known = live.connections.size; // those that began before
    const { handshake, ...own } = form; // only a played client has it
    const socket = new WebSocket(socketUrl(this.host, this.watchedPath(form)), offered(form));
    this.socket?.close();
    this.socket = socket;
    this.listen(socket);
    this.addStep(...this.beginning(own));
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
      this.release(...(wasOpen ? closed(code, reason) : ["refused"]));
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
    this.socket?.send(bytes || payload);
    if (!bytes) this.addStep("text", { text: payload });
    else this.addStep("bytes", { hex: hexFromBytes(bytes) });
  }

  close() {
    const code = closeCode(this.form.value.code);
    this.socket?.close(...(code ? [code] : []));
    this.addStep("close", code ? { code } : {});
  }

  // Disconnects without a step: what the page plays has changed.
  drop() {
    if (this.socket) {
      this.socket.onopen = this.socket.onclose = null;
      this.socket.close();
    }
    this.release("idle");
  }

  vanish() {
    const { socket } = this;
    this.addStep("vanish");
    if (!socket) return;
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

  beginning({ method, path, body }) {
    const place = path.replaceAll(" ", "%20"); // in the text of a step, a space ends the path
    return [method, { ...(path !== lesson.path && { path: place }), ...(method === "POST" && { body }) }];
  }

  async connect({ method, path, body }) {
    this.controller?.abort();
    const controller = new AbortController();
    this.controller = controller;
    const say = (state, text) => controller === this.controller && this.setState(state, text);
    const { signal: stopped } = controller;
    say("connecting", "Waiting for the response…");
    try {
      this.addStep(...this.beginning({ method, path, body }));
      const options = { method, signal: stopped, cache: "no-store", ...(method === "POST" && { body }) };
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
    this.controller?.abort();
    this.controller = null;
    this.setState("idle");
  }

  leave() {
    this.addStep("close");
    this.controller?.abort();
  }
}

export function addClient(settings = {}) {
  const number = [1, 2, 3, 4].find((one) => !clients.value.some((client) => client.number === one));
  const Kind = settings.sends_requests || lesson.isHttp ? HttpClient : WebSocketClient;
  const made = new Kind(number, settings);
  clients.value = [...clients.value, made].sort((one, other) => one.number - other.number);
  return made;
}

export function removeClient(client) {
  if (isPlayed() && client.isOpen) client.addStep("close");
  client.drop();
  clients.value = clients.value.filter((one) => one !== client);
}

function feedOf(host) {
  if (!feeds.has(host)) {
    feeds.set(host, new ReconnectingSocket(socketUrl(host, `/ws/feed/${page.feed}/`), take));
  }
  return feeds.get(host);
}

// Events of a connection may arrive after its drop.
function take({ events = [], ...message }) {
  const kept = isPlayed() ? [] : events.filter(({ connection }) => !dropped.has(connection));
  if (kept.length) live.add({ ...message, events: kept }, { client: String(message.client) });
}

// Forgets all events and steps. With `drops`, as if the clients had never connected.
export function clear(drops = isPlayed()) {
  batch(() => {
    live.clear();
    saved.value = null;
    [steps, shown] = [[], { count: 0, recording: NOTHING }];
    if (!drops) return;
    live.connections.clear(); // the consumers are numbered from 1
    played.value = { finding: null, reason: "" };
    for (const client of clients.value) client.drop();
  });
}

// Lets the clients connect to another target.
export function playTarget(name) {
  if (name === target.value) return;
  for (const connection of live.connections.keys()) dropped.add(connection);
  batch(() => {
    clear(true);
    target.value = name;
    for (const client of clients.value) client.fill();
  });
  showLiveSource();
}

// What is done with the exercise, the solution or a mistake is played again from the beginning after each
// step, and when the file was saved. One request follows the other, and the last answer is shown.

let isStale = false;
let isPlaying = false;
const NOTHING = { connections: [], events: [] };
let shown = { count: 0, recording: NOTHING }; // of how many steps the picture shows the recording

export function addStep(one) {
  steps.push(one);
  if (!isPlayed()) return markSeen(steps);
  saved.value = null;
  return replay();
}

async function replay() {
  isStale = true;
  if (isPlaying) return;
  isPlaying = true;
  while (isStale) {
    isStale = false;
    const asked = steps;
    const count = asked.length;
    const timer = setTimeout(() => (isSlow.value = true), PATIENCE);
    const answer = count > 0 && isPlayed() ? await fetchConversation(asked) : null;
    clearTimeout(timer);
    isSlow.value = false;
    if (answer && asked === steps && count === steps.length) showPlayed(answer);
  }
  isPlaying = false;
}

// A step that cannot be played is forgotten.
function showPlayed({ recording, marks, finding, reason }) {
  batch(() => {
    if (recording) {
      live.become(Transcript.from(recording, marks));
      shown = { count: steps.length, recording };
      played.value = { finding, reason: recording.cut };
    } else {
      steps.splice(shown.count);
      played.value = { ...played.value, reason };
    }
    for (const client of clients.value) client.showPlayed(shown.recording);
  });
}

onNews(take);
for (const settings of page.clients) addClient(settings);

// The step Do plays the student's own code, the others the worked example.
effect(() => {
  const isDo = step.value === "do" && lesson.isPlayable;
  if (["predict", "see", "do"].includes(step.value)) untracked(() => playTarget(isDo ? "exercise" : EXAMPLE));
});

effect(() => {
  const digest = fileDigest.value;
  untracked(() => {
    if (target.value !== "exercise") return;
    replay();
    if (digest) showLiveSource();
  });
});
