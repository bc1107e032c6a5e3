// A transcript as a sequence diagram: what is shown of it, and what it points at.

import { element, queueFrame } from "../common/dom.js";
import { Canvas } from "./canvas.js";
import { layout, nameOf, spread } from "./layout.js";

export class Diagram {
  // `onSelect(entry, isChosen)` is called with what the diagram points at: what was chosen or is
  // under the pointer, else the newest; null where there is nothing.
  constructor(box, { onSelect = () => {}, label = "Sequence diagram" } = {}) {
    Object.assign(this, { box, onSelect, zoom: 1, folded: new Set(), transcript: null });
    box.classList.add("diagram");
    this.heads = new LaneHeaders(box, (key) => this.fold(key));
    this.canvas = new Canvas(box, label);
    this.change = ({ detail }) => this.grow(detail);
    point(this, this.canvas.area);
    this.view = this.canvas.view;
    this.view.watch({ onScroll: () => this.schedule(), onResize: () => this.refresh() });
  }

  // From now on, and as it grows. `differs` is the index of the entry that is marked; one past the
  // last marks that there is none.
  show(transcript, { differs = null } = {}) {
    this.transcript?.removeEventListener("change", this.change);
    Object.assign(this, { transcript, differs, chosen: null, hovered: null, position: null });
    this.pointed = undefined;
    this.reveals = transcript.entries[differs ?? 0];
    transcript.addEventListener("change", this.change);
    this.refresh();
  }

  grow({ trimmed }) {
    const { entries } = this.transcript;
    if (this.position !== null) this.position = Math.max(0, this.position - trimmed);
    if (!entries.length) this.position = this.chosen = null;
    this.refresh();
  }

  // Show the first `position` entries; null is all, and those that are still to come.
  seek(position) {
    this.position = position;
    this.choose(this.transcript.entries[position - 1] ?? null);
    this.reveals ??= null; // the end
    this.refresh();
  }

  // null points at the newest.
  choose(entry) {
    Object.assign(this, { chosen: entry, hovered: null, reveals: entry ?? undefined });
    this.schedule();
  }

  hover(entry) {
    if (entry === this.hovered) return;
    this.hovered = entry;
    this.schedule();
  }

  fold(key) {
    if (!this.folded.delete(key)) this.folded.add(key);
    this.refresh();
  }

  zoomTo(zoom) {
    this.zoom = zoom;
    this.refresh();
  }

  refresh() {
    this.isStale = true;
    this.schedule();
  }

  schedule() {
    queueFrame(this, () => {
      if (this.transcript) this.draw();
    });
  }

  draw() {
    const { canvas, folded, view } = this;
    const wasAtEnd = view.isAtEnd;
    const isSeen = view.width > 0; // else another view is, and this one waits
    if (this.isStale) {
      const { entries } = this.transcript;
      const position = this.position ?? entries.length;
      this.layout = layout(entries, { position, folded, differs: this.differs });
      if (isSeen) this.place();
      this.isStale = !isSeen;
    }
    const newest = this.layout.rows.findLast(({ entry }) => entry.event)?.entry ?? null;
    const pointed = this.hovered ?? this.chosen ?? newest;
    this.tell(pointed);
    if (!isSeen) return;
    const reveal = this.indexOf(this.reveals);
    if (reveal >= 0) canvas.reveal(reveal);
    else if (this.reveals === null || (wasAtEnd && !this.chosen)) view.scrollTo(Infinity);
    this.reveals = undefined;
    canvas.draw({ chosen: this.indexOf(this.chosen), hovered: this.indexOf(this.hovered), pointed });
  }

  place() {
    const scale = this.canvas.scaleFor(this.zoom);
    scale.width = spread(this.layout.lanes, { ...scale, folded: this.folded });
    this.heads.draw(this.layout.lanes, this.folded, scale);
    this.canvas.place(this.layout, scale);
  }

  indexOf(entry) {
    return entry ? this.layout.rows.findIndex((row) => row.entry === entry) : -1;
  }

  tell(pointed) {
    const isChosen = Boolean(this.hovered ?? this.chosen);
    if (pointed === this.pointed && isChosen === this.wasChosen) return;
    Object.assign(this, { pointed, wasChosen: isChosen });
    this.onSelect(pointed, isChosen);
  }
}

// The heads of a diagram's lanes. Each is a switch: what its lane has to do with is shown or not.
export class LaneHeaders {
  constructor(box, onSwitch) {
    this.onSwitch = onSwitch;
    this.box = box.appendChild(document.createElement("div"));
    this.box.className = "lane-headers";
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", "Lanes shown");
    this.made = new Map(); // key of a lane → its button
  }

  draw(lanes, folded, { width, left }) {
    this.box.style.width = `${width}px`;
    for (const [key, button] of this.made) {
      if (lanes.some((lane) => lane.key === key)) continue;
      button.remove();
      this.made.delete(key);
    }
    lanes.forEach((lane, index) => {
      const button = this.made.get(lane.key) ?? this.make(lane);
      const before = lane.x - (lanes[index - 1]?.x ?? 2 * left - lane.x);
      const after = (lanes[index + 1]?.x ?? 2 * width - lane.x) - lane.x;
      const room = Math.min(before, after) - 4;
      // As wide as its words, and moved by a transform: a lane that comes shifts no layout.
      button.style.maxWidth = `${room}px`;
      button.style.transform = `translateX(${lane.x}px) translateX(-50%)`;
      button.setAttribute("aria-pressed", !folded.has(lane.key));
      const there = this.box.children[index] ?? null;
      if (there !== button) this.box.insertBefore(button, there);
    });
  }

  make(lane) {
    const { key, kind, name, server } = lane;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.lane = kind;
    button.title = nameOf(lane);
    const who = [name, server].filter(Boolean).join(" ");
    button.append(kind, ...(who ? [" ", element("span", who)] : []));
    button.onclick = () => this.onSwitch(key);
    this.made.set(key, button);
    return button;
  }
}

// Points at a diagram's events, by keyboard and with the pointer.

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
