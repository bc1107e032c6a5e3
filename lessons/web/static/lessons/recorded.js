// The recorded part of the panel: diagram and table of one transcript, and what they point at.

import { Details } from "./details.js";
import { Diagram } from "./diagram.js";
import { keep, kept } from "./keep.js";
import { late } from "./late.js";
import { Playback } from "./playback.js";
import { Transcript } from "./transcript.js";

const byId = (id) => document.getElementById(id);

// Shows what is added to the transcript that it returns.
export function recorded(source) {
  const transcript = kept() ?? new Transcript();
  const details = new Details(byId("details"));
  const diagram = new Diagram(byId("diagram"), {
    label: "What the server recorded, as a diagram",
    onSelect: (entry, isChosen) => {
      details.show(entry);
      if (isChosen) source.show(entry.event);
      else source.light(transcript.entries.findLast(({ event }) => source.hasHandlerOf(event))?.event);
    },
  });
  diagram.show(transcript);
  if (transcript.entries.length) fillTable(transcript);
  else transcript.addEventListener("change", () => fillTable(transcript), { once: true });
  new Playback(byId("playback"), diagram, transcript);
  switches(byId("recorded"), () => showInTable(diagram.pointed));
  followAddress(diagram, transcript, details);
  keep(transcript);
  return transcript;
}

// Its module is loaded once there is something to fill it with.
async function fillTable(transcript) {
  const { Log } = await late(() => import("./log.js"));
  const [box, body, nothing, missing] = ["log", "events", "nothing", "missing"].map(byId);
  new Log({ box, body, nothing, missing }).show(transcript);
}

// Table or diagram, in its place or over the whole window.
function switches(section, onTable) {
  const [table, large] = [byId("as-table"), byId("enlarge")];
  const press = (button, isPressed) => {
    button.setAttribute("aria-pressed", isPressed);
    section.classList.toggle(button.dataset.turns, isPressed);
  };
  const isPressed = (button) => button.getAttribute("aria-pressed") === "true";
  for (const button of [table, large]) button.onclick = () => press(button, !isPressed(button));
  table.addEventListener("click", onTable);
  section.addEventListener("keydown", ({ key }) => key === "Escape" && press(large, false));
}

// What the diagram points at is in view in the table too.
function showInTable(entry) {
  const row = entry && byId(`event-${Transcript.idOf(entry)}`);
  if (row) byId("log").scrollTop = row.offsetTop - byId("log").clientHeight / 2;
}

// `#event-1.5`: event 5 of the first connection.
function followAddress(diagram, transcript, details) {
  const follow = () => {
    const [, id] = location.hash.match(/^#event-([\d.]+)$/) ?? [];
    if (!id) return;
    const entry = transcript.entries[transcript.indexOf(id)];
    if (!entry) return details.say(`Event ${id} was not recorded since this page was opened.`);
    diagram.choose(entry);
    showInTable(entry);
  };
  addEventListener("hashchange", follow);
  follow();
}
