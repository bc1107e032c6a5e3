// One client on the page: its forms, what it says of itself, and the WebSocket or request behind it.

import { Answer } from "./answer.js";
import { Client } from "./client.js";
import { NotJson } from "./json.js";

// Of all lessons, one is about requests.
const isRequest = document.querySelector("form.request") !== null;
const { Request } = isRequest ? await import("./request.js") : {};

export class Card {
  // `page` has what all clients share: {panel, played, seen, feed(host), isAlone()}.
  constructor(box, number, page) {
    Object.assign(this, { box, number, page, answer: new Answer() });
    this.status = box.querySelector("[role=status]");
    const { watched, path } = page.panel.dataset;
    const listeners = {
      note: (step) => page.played.add(number, step),
      onHeard: () => page.played.heard(),
      onSeen: (kind, text) => page.seen.add(kind, text, this.name()),
      onState: (state, text) => this.become(state, text),
    };
    const Kind = isRequest ? Request : Client;
    this.client = new Kind({ watched: { path: watched, number }, home: path, ...listeners });
    this.wire();
    this.say("idle", isRequest ? "Nothing sent yet." : "Not connected.");
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
    const [fold, forms] = [".fold", ".forms"].map((name) => this.box.querySelector(name));
    fold.onclick = () => {
      forms.hidden = !forms.hidden;
      fold.setAttribute("aria-expanded", String(!forms.hidden));
    };
    isRequest ? this.wireRequest() : this.wireSocket();
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
    this.onSubmit("send", ({ kind, payload }) => {
      try {
        this.client.send(kind, payload);
      } catch (error) {
        if (!(error instanceof NotJson)) throw error;
        this.form("send").elements.payload.setSelectionRange(error.index, error.index + 1);
        throw new Error(`${error.message} Choose text to send it as it stands.`);
      }
    });
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
