// Wires a lesson's page: the forms, the lesson's socket, the recorder's feed, log and source.

import { Answer } from "./answer.js";
import { Client } from "./client.js";
import { Feed } from "./feed.js";
import { Log } from "./log.js";
import { Request } from "./request.js";
import { Seen } from "./seen.js";
import { Source } from "./source.js";

const byId = (id) => document.getElementById(id);

function start(panel) {
  const source = new Source(byId("source"));
  const log = new Log({
    box: byId("log"),
    body: byId("events"),
    nothing: byId("nothing"),
    missing: byId("missing"),
  });
  const answer = new Answer();
  const seen = new Seen(byId("seen"));
  const feed = new Feed(panel.dataset.feed, {
    onBatch(batch) {
      log.add(batch);
      for (const event of batch.events) answer.take(event);
      source.light(batch.events.findLast(({ handler }) => handler)?.handler);
      if (byId("status").dataset.state === "refused") say("refused", answer.text());
    },
  });
  const listeners = {
    onSeen: (kind, text) => seen.add(kind, text),
    onState: (state, text) => say(state, state === "refused" ? answer.text() : text),
  };
  if (byId("request")) wireRequest(new Request(panel.dataset.watched, listeners), feed);
  else wireSocket(new Client(panel.dataset.watched, listeners), feed, answer);
  byId("clear").onclick = () => {
    log.clear();
    seen.clear();
  };
  byId("controls").disabled = false;
  say("idle", "Not connected.");
}

function wireRequest(request, feed) {
  onSubmit("request", async ({ method, path, body }) => {
    await feed.ready();
    await request.send(method.value, path.value.trim(), body.value);
  });
  byId("request").elements.leave.onclick = () => attempt(() => request.leave());
}

function wireSocket(client, feed, answer) {
  onSubmit("connect", async ({ path, subprotocols }) => {
    await feed.ready();
    answer.forget();
    client.connect(path.value.trim(), subprotocols.value.split(/[\s,]+/).filter(Boolean));
  });
  onSubmit("send", ({ kind, payload }) => client.send(kind.value, payload.value));
  onSubmit("close", ({ code }) => client.close(code.value.trim()));
  byId("send").elements.empty.onclick = () =>
    attempt(() => client.send(byId("send").elements.kind.value, ""));
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

// Only what overflows needs to be reached by keyboard, and which that is depends on the window.
function reachable() {
  for (const box of document.querySelectorAll("article .scroll, .finding .scroll")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

reachable();
addEventListener("resize", reachable);
const panel = byId("panel");
if (panel) start(panel);
