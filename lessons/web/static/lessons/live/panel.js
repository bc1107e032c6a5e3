// Wires a lesson's page: its clients, transcript and source.

import { byId, element } from "../common/dom.js";
import { retryImport } from "../common/server.js";
import { offer } from "../compare/compare.js";
import { Clients } from "./clients.js";
import { PlayedSteps } from "./played_steps.js";
import { Source, recorded } from "./recording.js";
import { load, save } from "./transcript_storage.js";

function start(panel) {
  const transcript = recorded(new Source(byId("source"), byId("thread")));
  const seen = new BrowserLog(byId("browser-log"));
  const played = new PlayedSteps();
  new Clients(panel, { played, seen, onBatch: (batch, from) => transcript.add(batch, from) });
  offer(() => played.steps());
  byId("clear").onclick = () => {
    transcript.clear();
    seen.clear();
    played.clear();
  };
  // What most visits do without is loaded when it is wanted.
  const feed = panel.dataset.feed.split("/").at(-2);
  byId("export").onclick = async () => {
    const { show } = await retryImport(() => import("./pytest_export.js"));
    show(played, feed);
  };
  byId("save").onclick = () => save(transcript, panel.dataset.lesson);
  byId("load").onclick = () => byId("file").click();
  byId("file").onchange = ({ target }) => load(target, transcript);
}


// What the browser was told about the lesson's socket, as a list.

const MOST = 200; // lines kept

export class BrowserLog {
  constructor(list) {
    this.list = list;
    this.waiting = [];
  }

  // Drawn once a frame, or a thousand messages would be a thousand layouts.
  add(kind, text, server = "") {
    if (!this.waiting.length) requestAnimationFrame(() => this.draw());
    this.waiting.push([kind, text, server]);
    if (this.waiting.length > MOST) this.waiting.shift();
  }

  draw() {
    for (const [kind, text, server] of this.waiting.splice(0)) {
      const item = document.createElement("li");
      item.append(server && `${server} `, element("b", kind), " ", text);
      this.list.append(item);
    }
    while (this.list.children.length > MOST) this.list.firstElementChild.remove();
    this.list.parentElement.scrollTop = this.list.parentElement.scrollHeight;
  }

  clear() {
    this.waiting = [];
    this.list.replaceChildren();
  }
}

const panel = byId("panel");
if (panel) start(panel);
