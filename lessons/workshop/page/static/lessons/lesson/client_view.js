// The clients on the page. Before a client connects it has one button, and afterwards a field to write in.

import { html, useEffect, useRef, useSignalEffect } from "../vendor/preact.js";
import { clients, isPlayed, removeClient } from "./clients.js";
import { lesson, liveCount, page, step } from "./store.js";

// Until one has connected, the first client alone is shown.
export function Clients() {
  const isStarted = liveCount.value > 0 || clients.value.some(({ status }) => status.value.state !== "idle");
  const shown = isStarted ? clients.value : clients.value.slice(0, 1);
  return html`<div class="clients">${shown.map((client) => html`<${Client} key=${client.number} client=${client} isAlone=${shown.length === 1} />`)}</div>`;
}

function Client({ client, isAlone }) {
  const { number, isOpen, isHttp, showsOptions, status } = client;
  const box = useRef(null);
  const hadFocus = useRef(false);
  // The focus moves out of a form that is no longer shown.
  useSignalEffect(() => {
    client.status.value;
    hadFocus.current = box.current?.querySelector(".row").contains(document.activeElement) ?? false;
  });
  useEffect(() => {
    if (hadFocus.current && document.activeElement === document.body) {
      box.current.querySelector(isOpen && !isHttp ? "[name=payload]" : ".row button.go").focus();
    }
    hadFocus.current = false;
  }, [isOpen]);
  const address = addressOf(client);
  const { state } = status.value;
  return html`
    <section class="client" ref=${box} role="group" aria-label="Client ${number}" data-number=${number} data-state=${state}>
      <div class="row">
        ${!isAlone && html`<b class="number">${number}</b>`}
        <p role="status" data-state=${state}>${client.text}</p>
        ${isHttp ? html`<${Request} client=${client} />` : isOpen ? html`<${Frame} client=${client} />` : html`<${Handshake} client=${client} />`}
        <button type="button" class="options" aria-expanded=${showsOptions.value} aria-label="Options of client ${number}" title=${address}
          onClick=${() => (showsOptions.value = !showsOptions.value)}>⋯</button>
      </div>
      ${showsOptions.value && html`<${Options} client=${client} />`}
    </section>`;
}

// One thing to press: the first client that is not connected, before the exercise.
const isNext = (client) => step.value !== "do" && clients.value.find(({ status }) => ["idle", "closed", "refused", "wrong"].includes(status.value.state)) === client;

const submit = (client, action) => (event) => {
  event.preventDefault();
  client.attempt(action);
};

// A field of the client's form, as what the user wrote last.
function field(client, name, label, more = {}) {
  const props = { name, "aria-label": label, value: client.form.value[name], ...more };
  return html`<input ...${props} autocomplete="off" spellcheck="false" onInput=${({ target }) => client.set(name, target.value)} />`;
}

function choice(client, name, label, options) {
  return html`
    <select name=${name} aria-label=${label} title=${label} onChange=${({ target }) => client.set(name, target.value)}>
      ${options.map(([value, text]) => html`<option value=${value} selected=${value === String(client.form.value[name])}>${text}</option>`)}
    </select>`;
}

// What is particular about the client's request: `as student · ?name=ada`. The lesson's own path is not.
function addressOf({ isHttp, form }) {
  const { method, path, account, origin, subprotocols } = form.value;
  if (isHttp) return `${method} ${path}`;
  const place = path.startsWith(lesson.path) ? path.slice(lesson.path.length) : path;
  return [account && `as ${account}`, origin && `from ${origin.replace(/^https?:\/\//, "")}`, place, subprotocols].filter(Boolean).join(" · ");
}

function Handshake({ client }) {
  return html`
    <form class="connect" onSubmit=${submit(client, () => client.open())}>
      <span class="address">${addressOf(client)}</span>
      <button class="go ${isNext(client) ? "primary" : ""}" data-key="c">Connect</button>
    </form>`;
}

function Frame({ client }) {
  const { kind } = client.form.value;
  return html`
    <form class="send" onSubmit=${submit(client, () => client.send())}>
      ${field(client, "payload", "Payload", { placeholder: kind === "bytes" ? "00 ff" : "nothing", "data-key": "s" })}
      <button class="go">Send</button>
    </form>
    <button type="button" class="close" data-key="x" onClick=${() => client.attempt(() => client.close())}>Close</button>`;
}

function Request({ client }) {
  const isWaiting = ["connecting", "open"].includes(client.status.value.state);
  return html`
    <form class="request" onSubmit=${submit(client, () => client.open())}>
      <span class="address">${addressOf(client)}</span>
      <button class="go ${isNext(client) ? "primary" : ""}" data-key="c">Send</button>
      ${isWaiting && html`<button type="button" data-key="x" onClick=${() => client.attempt(() => client.leave())}>Leave</button>`}
    </form>`;
}

function Options({ client }) {
  const { isHttp, isOpen, number, form } = client;
  if (isHttp) {
    return html`
      <div class="more">
        ${choice(client, "method", "Method", [["GET", "GET"], ["POST", "POST"]])}
        ${field(client, "path", "Path and query", { class: "wide", list: `paths-${number}` })}
        <datalist id="paths-${number}">${form.value.paths.map((path) => html`<option value=${path} />`)}</datalist>
        ${field(client, "body", "Body of a POST", { class: "wide", placeholder: "no body" })}
      </div>`;
  }
  const isOwn = !isPlayed(); // it is a real client of this browser
  const servers = page.servers.map(({ port }, index) => [`${index + 1}`, `:${port}`]);
  return html`
    <div class="more">
      ${isOpen
        ? html`
          ${choice(client, "kind", "Frame", [["text", "text"], ["bytes", "bytes (hex)"]])}
          ${field(client, "code", "Close code", { placeholder: "close code", inputmode: "numeric", title: "A browser may send no code, 1000, or a code from 3000 to 4999" })}
          <button type="button" title="Without a close frame" onClick=${() => client.attempt(() => client.vanish())}>Lose the connection</button>`
        : html`
          ${field(client, "path", "Path and query", { class: "wide" })}
          ${choice(client, "account", "User", [...(isOwn ? [["", "this browser"]] : []), ...page.accounts.map((one) => [one, one])])}
          ${choice(client, "origin", "Page", [["", isOwn ? "this page" : "its own page"], ...page.sites.map((one) => [one, one])])}
          ${servers.length > 1 && choice(client, "server", "Server", servers)}
          ${field(client, "subprotocols", "Subprotocols", { placeholder: "no subprotocol" })}`}
      ${clients.value.length > 1 && html`<button type="button" onClick=${() => removeClient(client)}>Remove client ${number}</button>`}
    </div>`;
}
