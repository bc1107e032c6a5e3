// Points at a diagram's events, by keyboard and with the pointer.

import { nameOf } from "./lanes.js";

const KEYS = {
  ArrowDown: 1,
  ArrowRight: 1,
  ArrowUp: -1,
  ArrowLeft: -1,
  PageDown: 10,
  PageUp: -10,
  Home: -Infinity,
  End: Infinity,
};

export function point(diagram, area) {
  area.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key in KEYS) step(diagram, KEYS[event.key]);
    else if (event.key === "Escape" && diagram.chosen) diagram.choose(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
    say(diagram, area);
  });
  area.addEventListener("focus", () => say(diagram, area));
  area.addEventListener("click", ({ clientY }) => {
    const entry = diagram.canvas.rowAt(clientY)?.entry ?? null;
    diagram.choose(entry === diagram.chosen ? null : entry);
    say(diagram, area);
  });
  area.addEventListener("pointermove", ({ clientY, pointerType }) => {
    if (pointerType === "mouse") diagram.hover(diagram.canvas.rowAt(clientY)?.entry ?? null);
  });
  area.addEventListener("pointerleave", () => diagram.hover(null));
  say(diagram, area);
}

// To the row that many further down, or up; the first step is onto the newest.
function step(diagram, rows) {
  const all = diagram.layout?.rows ?? [];
  const here = diagram.chosen ? diagram.indexOf(diagram.chosen) : all.length - (rows > 0 ? 1 : 0);
  diagram.choose(all[Math.min(Math.max(here + rows, 0), all.length - 1)]?.entry ?? null);
}

// Only when somebody points, or every event would be read out while the diagram has the focus.
function say(diagram, area) {
  const rows = diagram.layout?.rows ?? [];
  const index = rows.findIndex(({ entry }) => entry === diagram.chosen);
  area.setAttribute("aria-valuemin", 0);
  area.setAttribute("aria-valuemax", rows.length);
  area.setAttribute("aria-valuenow", index + 1);
  area.setAttribute("aria-valuetext", index < 0 ? `None chosen of ${rows.length}` : describe(rows[index], rows.length));
}

function describe({ entry, index, kind, text, type, telling, from, to, isDifferent }, count) {
  const what = kind === "gap" ? text : `${type} ${telling}`.trim();
  const where = from ? `${nameOf(from)} to ${nameOf(to)}` : "";
  const handler = entry.event?.handler ? `handler ${entry.event.handler}` : "";
  const differs = isDifferent ? "the first that differs" : "";
  return [`${index + 1} of ${count}: ${what}`, where, handler, differs].filter(Boolean).join(", ");
}
