// The recorded part of the panel: diagram and table of one transcript, and what they point at.

import { Details } from "./details.js";
import { Diagram } from "./diagram.js";
import { keep, kept } from "./keep.js";
import { Log } from "./log.js";
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
      else source.light(transcript.entries.findLast(({ event }) => event?.handler)?.event);
    },
  });
  new Log({
    box: byId("log"),
    body: byId("events"),
    nothing: byId("nothing"),
    missing: byId("missing"),
  }).show(transcript);
  diagram.show(transcript);
  new Playback(byId("playback"), diagram, transcript);
  switches(byId("recorded"));
  followAddress(diagram, transcript);
  keep(transcript);
  return transcript;
}

// Table or diagram, in its place or over the whole window.
function switches(section) {
  const [table, large] = [byId("as-table"), byId("enlarge")];
  const press = (button, isPressed) => {
    button.setAttribute("aria-pressed", isPressed);
    section.classList.toggle(button.dataset.turns, isPressed);
  };
  const isPressed = (button) => button.getAttribute("aria-pressed") === "true";
  for (const button of [table, large]) button.onclick = () => press(button, !isPressed(button));
  section.addEventListener("keydown", ({ key }) => key === "Escape" && press(large, false));
}

// `#event-1.5`: event 5 of the first connection.
function followAddress(diagram, transcript) {
  const follow = () => {
    const id = location.hash.match(/^#event-([\d.]+)$/)?.[1];
    const entry = id && transcript.entries[transcript.indexOf(id)];
    if (!entry) return;
    diagram.choose(entry);
    byId(`event-${id}`)?.scrollIntoView({ block: "nearest" });
  };
  addEventListener("hashchange", follow);
  follow();
}
