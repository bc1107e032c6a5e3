// The clients of a lesson's page, one to four, and the feeds of the servers that they connect to.

import { byId } from "../common/dom.js";
import { ReconnectingSocket, socketUrl } from "../common/server.js";
import { HttpClient, WebSocketClient } from "./client.js";

const MAX_CLIENTS = 4;
const EXAMPLE = "example"; // what a page plays at first
const STATUSES = { "websocket.accept": 101, "websocket.close": 403, raised: 500 };

export class Clients {
  playing = { target: EXAMPLE, options: {}, reason: "" }; // a Playing, once there is one

  // Calls `onBatch(batch, {client, server})` with events that a server recorded of a client.
  constructor(panel, { played, log, onBatch }) {
    Object.assign(this, { panel, played, log, onBatch });
    this.feeds = new Map(); // host → ReconnectingSocket
    this.connections = new Set(); // the ids of all connections so far
    this.dropped = new Set(); // the ids of those before the last drop()
    this.cards = new Map(); // number → ClientCard
    this.list = byId("clients");
    this.addButton = byId("add-client");
    this.template = this.list.firstElementChild.cloneNode(true); // before the user fills it in
    for (const option of this.template.querySelectorAll("[selected]")) option.removeAttribute("selected");
    for (const box of this.list.children) this.addCard(box, Number(box.dataset.number));
    if (this.addButton) this.addButton.onclick = () => this.add();
    byId("controls").disabled = false;
  }

  addCard(box, number) {
    this.cards.set(number, new ClientCard(box, number, this));
    box.querySelector(".remove").onclick = () => this.remove(number);
  }

  add() {
    const number = [1, 2, 3, 4].find((one) => !this.cards.has(one));
    const box = this.template.cloneNode(true);
    box.dataset.number = number;
    box.setAttribute("aria-label", `Client ${number}`);
    box.querySelector(".name").textContent = number;
    box.querySelector(".remove").setAttribute("aria-label", `Remove client ${number}`);
    const next = [...this.list.children].find((one) => one.dataset.number > number);
    this.list.insertBefore(box, next ?? null);
    this.addCard(box, number);
    this.updateButtons();
    box.querySelector("input[name=path]").focus();
  }

  remove(number) {
    this.cards.get(number).remove();
    this.cards.delete(number);
    this.updateButtons();
    this.addButton.focus();
  }

  updateButtons() {
    const { size } = this.cards;
    this.addButton.disabled = size === MAX_CLIENTS;
    for (const { box } of this.cards.values()) box.querySelector(".remove").hidden = size === 1;
  }

  feed({ host, name }) {
    const { feed: path } = this.panel.dataset;
    const onMessage = (message) => {
      if (message.played) this.playing.update(message.played);
      else if (message.outside) this.playing.sayOutside(message.outside);
      else this.take(message, name);
    };
    if (!this.feeds.has(host)) this.feeds.set(host, new ReconnectingSocket(socketUrl(host, path), onMessage));
    return this.feeds.get(host);
  }

  // Events of the target before may arrive after drop(), even the first ones of a connection.
  take({ events: all, ...rest }, server) {
    if (rest.target !== this.playing.target) return;
    const events = all.filter(({ connection }) => !this.dropped.has(connection));
    if (!events.length) return;
    for (const { connection } of events) this.connections.add(connection);
    const batch = { events, ...rest };
    this.cards.get(batch.client)?.update(batch);
    const client = this.cards.size === 1 && batch.client !== "worker" ? "" : String(batch.client);
    this.onBatch(batch, { client, server });
  }

  // Asks the servers of this page for something, such as another target.
  async request(message) {
    const hosts = new Set([location.host, ...this.feeds.keys()]);
    for (const host of hosts) {
      await this.feed({ host, name: nameOf(host) })
        .send(message)
        .catch(() => {});
    }
  }

  // Disconnects all clients. Later events of their connections are not shown.
  drop() {
    this.dropped = new Set(this.connections);
    for (const { client } of this.cards.values()) client.drop();
  }

  // Connects the clients again whose connection the server has lost.
  reconnect() {
    for (const card of this.cards.values()) card.reconnect();
  }
}

// A server's name, if the page offers several servers.
function nameOf(host) {
  const options = [...document.querySelectorAll("select[name=server] option")];
  return options.find(({ value }) => value === host)?.text ?? "";
}

// One client on the page: its forms, its status, and its WebSocket or HTTP request.
class ClientCard {
  constructor(box, number, clients) {
    Object.assign(this, { box, number, clients, handshake: new HandshakeStatus() });
    this.status = box.querySelector("[role=status]");
    this.isHttp = this.form("request") !== null; // two lessons have HTTP requests
    const { watched, path } = clients.panel.dataset;
    const Client = this.isHttp ? HttpClient : WebSocketClient;
    this.client = new Client({
      watched: { path: watched, number },
      options: () => clients.playing.options,
      home: path,
      onStep: (step) => clients.played.add(number, step),
      onAnswer: () => clients.played.answered(),
      onLog: (kind, text) => clients.log.add(kind, text, this.name()),
      onState: (state, text) => this.setState(state, text),
    });
    const [toggle, forms] = [".toggle", ".forms"].map((name) => box.querySelector(name));
    toggle.onclick = () => {
      forms.hidden = !forms.hidden;
      toggle.setAttribute("aria-expanded", String(!forms.hidden));
    };
    if (this.isHttp) this.connectHttpForm();
    else this.connectWebSocketForms();
    this.last = ["idle", this.isHttp ? "Nothing sent yet." : "Not connected."];
    this.say(...this.last);
    addEventListener("workshop-lost", () => this.explainLoss());
  }

  form(name) {
    return this.box.querySelector(`form.${name}`);
  }

  // The server's host, and its name if the page offers several servers.
  get server() {
    const chosen = this.form("connect")?.elements.server?.selectedOptions[0];
    return chosen ? { host: chosen.value, name: chosen.text } : { host: location.host, name: "" };
  }

  // What distinguishes this client from the other clients of the page.
  name() {
    return [this.clients.cards.size === 1 ? "" : this.number, this.server.name].filter(Boolean).join(" ");
  }

  connectHttpForm() {
    this.onSubmit("request", async ({ method, path, body }) => {
      await this.clients.feed(this.server).ready();
      await this.client.send(method, path.trim(), body);
    });
    this.form("request").elements.leave.onclick = () => this.attempt(() => this.client.leave());
  }

  connectWebSocketForms() {
    this.onSubmit("connect", async ({ path, account, origin, ...fields }) => {
      await this.clients.feed(this.server).ready();
      const subprotocols = fields.subprotocols.split(/[\s,]+/).filter(Boolean);
      this.connect({ host: this.server.host, path: path.trim(), subprotocols, account, origin });
    });
    this.onSubmit("send", ({ kind, payload }) => this.client.send(kind, payload));
    this.onSubmit("close", ({ code }) => this.client.close(code.trim()));
    this.form("close").elements.vanish.onclick = () => this.attempt(() => this.client.vanish());
  }

  connect(connection) {
    this.handshake.reset();
    this.client.connect(connection);
  }

  reconnect() {
    const { lost } = this.client;
    if (lost) this.attempt(() => this.connect(lost));
  }

  // Calls `action` with the values of the form's fields by name.
  onSubmit(name, action) {
    this.form(name).onsubmit = (event) => {
      event.preventDefault();
      this.attempt(() => action(Object.fromEntries(new FormData(event.target))));
    };
  }

  // Shows the error if the browser or this page rejects the action.
  async attempt(action) {
    try {
      await action();
      if (this.status.dataset.state === "wrong") this.say(...this.last);
    } catch (error) {
      this.say("wrong", error.message);
    }
  }

  setState(state, text) {
    const isOpen = state === "open";
    if (!isOpen && state !== "connecting") this.clients.played.disconnected(this.number);
    if (this.form("connect")) this.showForms(isOpen);
    this.last = [state, state === "refused" ? this.refusal() : text];
    this.say(...this.last);
  }

  // Shows the forms that the client can use now, and moves the focus out of a hidden form.
  showForms(isOpen) {
    const hadFocus = this.box.querySelector(".forms").contains(document.activeElement);
    this.box.toggleAttribute("data-connected", isOpen);
    if (!hadFocus || document.activeElement.checkVisibility()) return;
    if (isOpen) this.form("send").elements.payload.focus();
    else this.form("connect").querySelector("button").focus();
  }

  refusal() {
    const { reason } = this.clients.playing;
    return this.handshake.status || !reason ? this.handshake.text() : reason;
  }

  // Takes events that the server recorded of this client.
  update({ events }) {
    for (const event of events) this.handshake.update(event);
    if (this.status.dataset.state === "refused") this.say("refused", this.refusal());
  }

  // The server has ended. A close code alone would not say so.
  explainLoss() {
    const { state } = this.status.dataset;
    if (state === "closed" || state === "refused") this.say(state, "Closed with 1006: the workshop does not answer.");
  }

  say(state, text) {
    this.status.dataset.state = state;
    this.status.textContent = text;
  }

  remove() {
    if (this.client.isOpen) this.client.close("");
    this.box.remove();
  }
}

// The server's answer to a handshake. The browser hides it from a page, so the recording supplies it.
export class HandshakeStatus {
  reset() {
    this.connection = this.status = null;
  }

  // Call it with each event. The latest scope belongs to the new connection: that of the connection
  // before it may arrive after reset().
  update({ connection, message: { type } }) {
    if (type === "scope" && connection !== this.connection) Object.assign(this, { connection, status: null });
    if (connection !== this.connection) return;
    this.status ??= STATUSES[type];
  }

  text() {
    if (this.status === 403) return "Rejected with HTTP 403. The browser reports 1006.";
    if (this.status === 500) return "Exception: HTTP 500. The browser reports 1006.";
    // The feed belongs to a session, and a login or logout replaces the session.
    return "Not opened, and no event was recorded. If you just logged in or out, reload the page.";
  }
}
