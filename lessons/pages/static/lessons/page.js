// Wires a lesson's page: its clients, transcript and source.

import { Clients } from "./clients.js";
import { offer } from "./compare.js";
import { wireFiles } from "./files.js";
import { Played } from "./played.js";
import "./reachable.js";
import { recorded } from "./recorded.js";
import { Seen } from "./seen.js";
import { Source } from "./source.js";
import { TakeAway } from "./take_away.js";

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
  new TakeAway(byId("take-away"), played, panel.dataset.feed.split("/").at(-2));
  wireFiles(transcript, panel.dataset.lesson);
}

const panel = byId("panel");
if (panel) start(panel);
