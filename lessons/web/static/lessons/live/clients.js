// The clients of a lesson's page, one to four, and the feeds of their servers.

import { ReconnectingSocket, socketUrl } from "../common/server.js";
import { HttpClient, WebSocketClient } from "./client.js";

const MOST = 4;

export class Clients {
  // `onBatch(batch, {client, server})` hears what a server has recorded, and of whom.
  constructor(panel, { played, seen, onBatch }) {
    Object.assign(this, { panel, played, seen, onBatch });
    this.feeds = new Map(); // host → ReconnectingSocket
    this.cards = new Map(); // number → Card
    this.list = document.getElementById("clients");
    this.more = document.getElementById("add-client");
    this.blank = this.list.firstElementChild.cloneNode(true); // as it came, but for whom it is
    for (const option of this.blank.querySelectorAll("[selected]")) option.removeAttribute("selected");
    for (const box of this.list.children) this.begin(box, Number(box.dataset.number));
    if (this.more) this.more.onclick = () => this.add();
    document.getElementById("controls").disabled = false;
  }

  begin(box, number) {
    const page = {
      panel: this.panel,
      played: this.played,
      seen: this.seen,
      feed: (server) => this.feed(server),
      isAlone: () => this.cards.size === 1,
    };
    this.cards.set(number, new ClientCard(box, number, page));
    box.querySelector(".remove").onclick = () => this.remove(number);
  }

  add() {
    const number = [1, 2, 3, 4].find((one) => !this.cards.has(one));
    const box = this.blank.cloneNode(true);
    box.dataset.number = number;
    box.setAttribute("aria-label", `Client ${number}`);
    box.querySelector(".name").textContent = `Client ${number}`;
    box.querySelector(".remove").setAttribute("aria-label", `Remove client ${number}`);
    const after = [...this.list.children].find((one) => one.dataset.number > number);
    this.list.insertBefore(box, after ?? null);
    this.begin(box, number);
    this.count();
    box.querySelector("input[name=path]").focus();
  }

  remove(number) {
    this.cards.get(number).leave();
    this.cards.delete(number);
    this.count();
    this.more.focus();
  }

  count() {
    this.more.disabled = this.cards.size === MOST;
    for (const { box } of this.cards.values()) {
      box.querySelector(".remove").hidden = this.cards.size === 1;
    }
  }

  feed({ host, name }) {
    const { feed: path } = this.panel.dataset;
    const onBatch = (batch) => {
      this.cards.get(batch.client)?.take(batch);
      const client = this.cards.size === 1 ? "" : String(batch.client);
      this.onBatch(batch, { client, server: name });
    };
    if (!this.feeds.has(host)) this.feeds.set(host, new ReconnectingSocket(socketUrl(host, path), onBatch));
    return this.feeds.get(host);
  }
}

// One client on the page: its forms, what it says of itself, and the WebSocket or request behind it.
class ClientCard {
  // `page` has what all clients share: {panel, played, seen, feed(host), isAlone()}.
  constructor(box, number, page) {
    Object.assign(this, { box, number, page, answer: new HandshakeStatus() });
    this.status = box.querySelector("[role=status]");
    this.isHttp = this.form("request") !== null; // one lesson is about HTTP requests
    const { watched, path } = page.panel.dataset;
    const listeners = {
      note: (step) => page.played.add(number, step),
      onHeard: () => page.played.heard(),
      onSeen: (kind, text) => page.seen.add(kind, text, this.name()),
      onState: (state, text) => this.become(state, text),
    };
    const Kind = this.isHttp ? HttpClient : WebSocketClient;
    this.client = new Kind({ watched: { path: watched, number }, home: path, ...listeners });
    this.wire();
    this.say("idle", this.isHttp ? "Nothing sent yet." : "Not connected.");
  }

  form(name) {
    return this.box.querySelector(`form.${name}`);
  }

  // On which server it is, where there are several: its host and its name.
  get server() {
    const chosen = this.form("connect")?.elements.server?.selectedOptions[0];
    return chosen ? { host: chosen.value, name: chosen.text } : { host: location.host, name: "" };
  }

  // As it is told from others on this page.
  name() {
    return [this.page.isAlone() ? "" : this.number, this.server.name].filter(Boolean).join(" ");
  }

  wire() {
    const [fold, forms] = [".toggle", ".forms"].map((name) => this.box.querySelector(name));
    fold.onclick = () => {
      forms.hidden = !forms.hidden;
      fold.setAttribute("aria-expanded", String(!forms.hidden));
    };
    this.isHttp ? this.wireRequest() : this.wireSocket();
  }

  wireRequest() {
    this.onSubmit("request", async ({ method, path, body }) => {
      await this.page.feed(this.server).ready();
      await this.client.send(method, path.trim(), body);
    });
    this.form("request").elements.leave.onclick = () => this.attempt(() => this.client.leave());
  }

  wireSocket() {
    this.onSubmit("connect", async ({ account, origin, ...said }) => {
      await this.page.feed(this.server).ready();
      this.answer.forget();
      const subprotocols = said.subprotocols.split(/[\s,]+/).filter(Boolean);
      this.client.connect({ host: this.server.host, path: said.path.trim(), subprotocols, account, origin });
    });
    this.onSubmit("send", ({ kind, payload }) => this.client.send(kind, payload));
    this.onSubmit("close", ({ code }) => this.client.close(code.trim()));
    this.form("close").elements.vanish.onclick = () => this.attempt(() => this.client.vanish());
  }

  // `action` takes what stands in the form's fields, by name.
  onSubmit(name, action) {
    this.form(name).onsubmit = (event) => {
      event.preventDefault();
      this.attempt(() => action(Object.fromEntries(new FormData(event.target))));
    };
  }

  // Says what the browser, or one of us, will not do.
  async attempt(action) {
    try {
      await action();
    } catch (error) {
      this.say("wrong", error.message);
    }
  }

  become(state, text) {
    const isOpen = state === "open";
    if (!isOpen && state !== "connecting") this.page.played.over(this.number);
    if (this.form("connect")) this.show(isOpen);
    this.say(state, state === "refused" ? this.answer.text() : text);
  }

  // What can be done now; the focus does not get lost with the form that it was in.
  show(isOpen) {
    const hadFocus = this.box.querySelector(".forms").contains(document.activeElement);
    this.box.toggleAttribute("data-connected", isOpen);
    if (!hadFocus || document.activeElement.checkVisibility()) return;
    if (isOpen) this.form("send").elements.payload.focus();
    else this.form("connect").querySelector("button").focus();
  }

  // What the server recorded of this client.
  take({ events }) {
    for (const event of events) this.answer.take(event);
    if (this.status.dataset.state === "refused") this.say("refused", this.answer.text());
  }

  say(state, text) {
    this.status.dataset.state = state;
    this.status.textContent = text;
  }

  leave() {
    if (this.client.isOpen) this.client.close("");
    this.box.remove();
  }
}

// What the server answered to the handshake: the browser does not tell a page, the recorder does.
class HandshakeStatus {
  forget() {
    this.connection = null;
    this.status = null;
  }

  // Called with each event of the feed; the first scope after forget() is the connection's own.
  take({ connection, message: { type } }) {
    if (type === "scope") this.connection ??= connection;
    if (connection !== this.connection) return;
    if (type === "websocket.accept") this.status ??= 101;
    if (type === "websocket.close") this.status ??= 403;
    if (type === "raised") this.status ??= 500;
  }

  text() {
    if (this.status === 403) return "Refused: HTTP 403. Told: 1006.";
    if (this.status === 500) return "Exception: HTTP 500. Told: 1006.";
    // The page's feed belongs to a session, which a login or a logout replaces.
    return "Not opened, and nothing recorded. Since a login or logout? Load this page anew.";
  }
}
