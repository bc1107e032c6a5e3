// Wires a lesson's page: its clients, transcript and source.

import { Clients } from "./clients.js";
import { offer } from "./compare.js";
import { late } from "./late.js";
import { Played } from "./played.js";
import "./reachable.js";
import { recorded } from "./recorded.js";
import { Seen } from "./seen.js";
import { Source } from "./source.js";

const byId = (id) => document.getElementById(id);

function start(panel) {
  const transcript = recorded(new Source(byId("source"), byId("thread")));
  const seen = new Seen(byId("seen"));
  const played = new Played();
  new Clients(panel, { played, seen, onBatch: (batch, from) => transcript.add(batch, from) });
  offer(() => played.steps());
  byId("clear").onclick = () => {
    transcript.clear();
    seen.clear();
    played.clear();
  };
  // What most visits do without is loaded when it is wanted.
  const feed = panel.dataset.feed.split("/").at(-2);
  byId("take-away").onclick = async () => {
    const { show } = await late(() => import("./take_away.js"));
    show(played, feed);
  };
  const files = () => late(() => import("./files.js"));
  byId("save").onclick = async () => (await files()).save(transcript, panel.dataset.lesson);
  byId("load").onclick = () => byId("file").click();
  byId("file").onchange = async ({ target }) => (await files()).load(target, transcript);
}

const panel = byId("panel");
if (panel) start(panel);
