// The entry of a lesson's page: connects its clients, its recording and its buttons.

import { byId, element, withoutDirectionMarks } from "../common/dom.js";
import { feedOf, retryImport } from "../common/server.js";
import { whenShown } from "../workspace/steps.js";
import { Clients } from "./clients.js";
import { PlayedSteps } from "./played_steps.js";
import { Recording } from "./recording.js";

const MAX_LOG_LINES = 200;

function start(panel) {
  const recording = new Recording();
  const { live } = recording;
  const log = new BrowserLog(byId("browser-log"));
  const played = new PlayedSteps();
  const onBatch = (batch, names) => live.add(batch, names);
  offerTargets(new Clients(panel, { played, log, onBatch }), recording);
  whenShown("compare", async () => {
    const { startComparing } = await retryImport((query) => import(`../compare/compare.js${query}`));
    startComparing(() => played.toTexts());
  });
  byId("clear").onclick = () => {
    live.clear();
    recording.showLive();
    log.clear();
    played.clear();
  };
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest(".show-me");
    if (!button) return;
    const { showFailing } = await retryImport((query) => import(`./failing.js${query}`));
    showFailing(button, recording, panel);
  });
  const link = () => retryImport((query) => import(`../links/steps_link.js${query}`));
  byId("copy-link").onclick = async () => (await link()).copyLink(panel, played.toTexts());
  if (location.hash.startsWith("#step=")) link().then(({ offerSteps }) => offerSteps(panel, recording));
  byId("tab-teach").addEventListener("shown", async () => {
    const { showTeachPage } = await retryImport((query) => import(`../teach/teach.js${query}`));
    showTeachPage(byId("tab-teach"), panel, recording);
  });
  byId("export").onclick = async () => {
    const { showExport } = await retryImport((query) => import(`./pytest_export.js${query}`));
    showExport(played.toTexts(), feedOf(panel));
  };
  const files = () => retryImport((query) => import(`./transcript_file.js${query}`));
  byId("save").onclick = async () => (await files()).save(recording.shown, panel.dataset.lesson);
  byId("load").onclick = () => byId("file").click();
  byId("file").onchange = async ({ target }) => (await files()).load(target, live);
}

// The switch of what the clients connect to. A lesson whose student writes a test has none.
function offerTargets(clients, recording) {
  const select = byId("target");
  const start = async () => {
    const { Playing } = await retryImport((query) => import(`./playing.js${query}`));
    new Playing(clients, recording).play(select.value);
  };
  select?.addEventListener("change", start, { once: true });
}

// The list of what the browser reports to the page about the clients' connections.
class BrowserLog {
  constructor(list) {
    this.list = list;
    this.lines = [];
  }

  // Draws once per frame: a thousand messages must not cause a thousand layouts.
  add(kind, text, client = "") {
    if (!this.lines.length) requestAnimationFrame(() => this.draw());
    this.lines.push([kind, text, client]);
    if (this.lines.length > MAX_LOG_LINES) this.lines.shift();
  }

  draw() {
    for (const [kind, text, client] of this.lines.splice(0)) {
      const item = document.createElement("li");
      item.append(client && `${client} `, element("b", kind), " ", withoutDirectionMarks(text));
      this.list.append(item);
    }
    while (this.list.children.length > MAX_LOG_LINES) this.list.firstElementChild.remove();
    this.list.parentElement.scrollTop = this.list.parentElement.scrollHeight;
  }

  clear() {
    this.lines = [];
    this.list.replaceChildren();
  }
}

// Most visits answer no question.
function offerQuestions({ dataset: { feed } }) {
  for (const button of document.querySelectorAll(".question .start")) {
    button.onclick = async () => {
      button.disabled = true;
      const { ask } = await retryImport((query) => import(`../predict/predict.js${query}`));
      await ask(button.closest(".question"), feed);
    };
  }
}

const panel = byId("panel");
if (panel) start(panel);
if (byId("predict")?.dataset.feed) offerQuestions(byId("predict"));
