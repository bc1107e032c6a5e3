// Wires a lesson's page: the forms, the clients of its servers, transcript and source.

import { Client } from "./client.js";
import { End } from "./end.js";
import "./reachable.js";
import { recorded } from "./recorded.js";
import { Request } from "./request.js";
import { Seen } from "./seen.js";
import { Source } from "./source.js";

const byId = (id) => document.getElementById(id);

function start(panel) {
  const transcript = recorded(new Source(byId("source")));
  const seen = new Seen(byId("seen"));
  const shared = { transcript, seen, onState: (end) => end === chosen() && say(...end.state) };
  const watched = `${panel.dataset.watched}/client=1`;
  const ends = servers().map(({ host, name }) => {
    const make = byId("request")
      ? (listeners) => new Request(watched, listeners)
      : (listeners) => new Client(host, watched, listeners);
    return new End(panel, { host, name }, shared, make);
  });
  const chosen = () => ends[byId("server")?.selectedIndex ?? 0];
  if (byId("server")) byId("server").onchange = () => say(...chosen().state);
  if (byId("request")) wireRequest(chosen);
  else wireSocket(chosen);
  byId("clear").onclick = () => {
    transcript.clear();
    seen.clear();
  };
  byId("controls").disabled = false;
  say(...chosen().state);
}

// This page's own server, or all those of `manage.py cluster`, the page's own first.
function servers() {
  const options = [...(byId("server")?.options ?? [])];
  if (!options.length) return [{ host: location.host, name: "" }];
  return options.map(({ value, text }) => ({ host: value, name: text }));
}

function wireRequest(chosen) {
  onSubmit("request", async ({ method, path, body }) => {
    await chosen().feed.ready();
    await chosen().client.send(method.value, path.value.trim(), body.value);
  });
  byId("request").elements.leave.onclick = () => attempt(() => chosen().client.leave());
}

function wireSocket(chosen) {
  onSubmit("connect", async ({ path, subprotocols }) => {
    const { feed, answer, client } = chosen();
    await feed.ready();
    answer.forget();
    client.connect(path.value.trim(), subprotocols.value.split(/[\s,]+/).filter(Boolean));
  });
  onSubmit("send", ({ kind, payload }) => chosen().client.send(kind.value, payload.value));
  onSubmit("close", ({ code }) => chosen().client.close(code.value.trim()));
  byId("send").elements.empty.onclick = () =>
    attempt(() => chosen().client.send(byId("send").elements.kind.value, ""));
}

function onSubmit(id, action) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(() => action(byId(id).elements));
  });
}

// Says what the browser, or one of us, will not do.
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    say("wrong", error.message);
  }
}

function say(state, text) {
  const status = byId("status");
  status.dataset.state = state;
  status.textContent = text;
}

const panel = byId("panel");
if (panel) start(panel);
