// A transcript as a sequence diagram, with its lane headers, keys and pointer.

import { Canvas } from "./canvas.js";
import { layout, nameOf, placeLanes } from "./layout.js";

const STEPS = {
  ...{ ArrowDown: 1, ArrowRight: 1, PageDown: 10, End: Infinity },
  ...{ ArrowUp: -1, ArrowLeft: -1, PageUp: -10, Home: -Infinity },
};

export class Diagram {
  // Calls `onSelect(entry, isChosen)` when the diagram points at another entry: the one under the
  // pointer, else the chosen one, else the newest. `entry` is null if there are no entries.
  constructor(box, { onSelect = () => {}, label = "Sequence diagram" } = {}) {
    Object.assign(this, { box, onSelect, zoom: 1, options: {}, transcript: null, frame: null });
    box.classList.add("diagram");
    this.headers = new LaneHeaders(box);
    this.canvas = new Canvas(box, label);
    this.onChange = ({ detail }) => this.update(detail);
    addControls(this, this.canvas.area);
    new ResizeObserver(() => this.resized()).observe(box);
  }

  // Shows a transcript and its later entries. `differs` is the index of the entry to mark. An index
  // after the last entry marks that this transcript ends earlier than the other one. `later` is the
  // greater index of both, and `least` the rows that both have: blank rows bring the two marked
  // entries to the same height, and both diagrams scroll alike.
  show(transcript, { differs = null, later = differs, least = 0 } = {}) {
    this.transcript?.removeEventListener("change", this.onChange);
    Object.assign(this, { transcript, differs, later, least, chosen: null, hovered: null, position: null });
    this.pointed = undefined;
    this.reveals = transcript.entries[differs ?? 0];
    transcript.addEventListener("change", this.onChange);
    this.refresh();
  }

  update({ trimmed }) {
    const { entries } = this.transcript;
    if (this.position !== null) this.position = Math.max(0, this.position - trimmed);
    if (!entries.length) this.position = null;
    if (!entries.includes(this.chosen)) this.chosen = null;
    this.refresh();
  }

  // Shows the first `position` entries; null shows all of them and later ones.
  seek(position) {
    this.position = position;
    this.choose(this.transcript.entries[position - 1] ?? null);
    this.reveals ??= null; // the end
    this.refresh();
  }

  // Chooses an entry; null removes the choice, so that the diagram points at the newest entry.
  choose(entry) {
    Object.assign(this, { chosen: entry, hovered: null, reveals: entry ?? undefined });
    this.schedule();
  }

  hover(entry) {
    if (entry === this.hovered) return;
    this.hovered = entry;
    this.schedule();
  }

  // What is shown: {kinds, matches, className}; the first two as in layout().
  setOptions(options) {
    Object.assign(this.options, options);
    this.refresh();
  }

  zoomTo(zoom) {
    this.zoom = zoom;
    this.refresh();
  }

  // The chosen entry stays in sight when the box changes its height.
  resized() {
    if (this.reveals === undefined && this.chosen) this.reveals = this.chosen;
    this.refresh();
  }

  refresh() {
    this.isStale = true;
    this.schedule();
  }

  schedule() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.transcript) this.draw();
    });
  }

  draw() {
    const { canvas, differs, later, least } = this;
    const wasAtEnd = canvas.isAtEnd;
    const isVisible = this.box.clientWidth > 0; // a diagram of a step that is not shown waits
    if (this.isStale) {
      const { entries, begun } = this.transcript;
      const position = this.position ?? entries.length;
      this.layout = layout(entries, { ...this.options, position, differs, later, least, begun });
      if (isVisible) this.place();
      this.isStale = !isVisible;
    }
    const newest = this.layout.rows.findLast(({ entry }) => entry.event)?.entry ?? null;
    const pointed = this.hovered ?? this.chosen ?? newest;
    this.notify(pointed);
    if (!isVisible) return;
    const reveal = this.indexOf(this.reveals);
    canvas.draw({ chosen: this.indexOf(this.chosen), hovered: this.indexOf(this.hovered), pointed });
    if (reveal >= 0) canvas.reveal(reveal);
    else if (this.reveals === null || (wasAtEnd && !this.chosen)) canvas.scrollToEnd();
    this.reveals = undefined;
  }

  place() {
    const scale = this.canvas.scaleFor(this.zoom, this.layout.isTimed);
    scale.width = placeLanes(this.layout.lanes, scale);
    this.headers.draw(this.layout.lanes, this.options.className, scale);
    this.canvas.place(this.layout, scale);
  }

  indexOf(entry) {
    return entry ? this.layout.rows.findIndex((row) => row.entry === entry) : -1;
  }

  notify(pointed) {
    const isChosen = Boolean(this.hovered ?? this.chosen);
    if (pointed === this.pointed && isChosen === this.wasChosen) return;
    Object.assign(this, { pointed, wasChosen: isChosen });
    this.onSelect(pointed, isChosen);
  }
}

const NAME_CHARACTER = 8; // pixels of a lane's name at zoom 1

// The headers of the lanes. A client reads like a browser, a consumer like a class. Where lanes are close
// together, the number is below the kind.
class LaneHeaders {
  constructor(box) {
    this.box = box.appendChild(document.createElement("div"));
    this.box.className = "lane-headers";
  }

  draw(lanes, className, { width, left, zoom }) {
    this.box.style.width = `${width}px`;
    this.box.replaceChildren(...lanes.map((lane, index) => {
      const before = lane.x - (lanes[index - 1]?.x ?? 2 * left - lane.x);
      const after = (lanes[index + 1]?.x ?? 2 * width - lane.x) - lane.x;
      const room = Math.min(before, after) - 4;
      const what = { client: "browser", consumer: className }[lane.kind];
      const isTight = nameOf(lane).length * NAME_CHARACTER * zoom > room;
      const below = isTight ? nameOf({ ...lane, kind: "" }) : what;
      const header = document.createElement("div");
      header.className = "lane-header";
      header.append(isTight ? lane.kind : nameOf(lane));
      if (below) header.appendChild(document.createElement("span")).append(below);
      header.dataset.lane = lane.kind;
      header.title = [nameOf(lane), what].filter(Boolean).join(", ");
      header.style.maxWidth = `${room}px`;
      header.style.transform = `translateX(${lane.x}px) translateX(-50%)`;
      return header;
    }));
  }
}

// Lets the user choose an event with the keyboard, and with the pointer.
function addControls(diagram, area) {
  area.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key in STEPS) step(diagram, STEPS[event.key]);
    else if (event.key === "Escape" && diagram.chosen) diagram.choose(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
    announce(diagram, area);
  });
  area.addEventListener("focus", () => announce(diagram, area));
  area.addEventListener("click", ({ clientY }) => {
    const entry = diagram.canvas.rowAt(clientY)?.entry ?? null;
    diagram.choose(entry === diagram.chosen ? null : entry);
    announce(diagram, area);
  });
  area.addEventListener("pointermove", ({ clientY, pointerType }) => {
    if (pointerType === "mouse") diagram.hover(diagram.canvas.rowAt(clientY)?.entry ?? null);
  });
  area.addEventListener("pointerleave", () => diagram.hover(null));
  announce(diagram, area);
}

// Chooses the entry that many rows below or above; the first step chooses the newest entry.
function step(diagram, count) {
  const rows = diagram.layout?.rows ?? [];
  const current = diagram.chosen ? diagram.indexOf(diagram.chosen) : rows.length - (count > 0 ? 1 : 0);
  diagram.choose(rows[Math.min(Math.max(current + count, 0), rows.length - 1)]?.entry ?? null);
}

// Sets the slider's value, which a screen reader reads aloud. Only the user's own actions set it:
// otherwise the screen reader would read every new event while the diagram has the focus.
function announce(diagram, area) {
  const rows = diagram.layout?.rows ?? [];
  const index = rows.findIndex(({ entry }) => entry === diagram.chosen);
  const text = index < 0 ? `None chosen of ${rows.length}` : describe(rows[index], rows.length);
  const values = { min: 0, max: rows.length, now: index + 1, text };
  for (const [name, value] of Object.entries(values)) area.setAttribute(`aria-value${name}`, value);
}

function describe({ entry, index, kind, text, type, details, from, to, isDifferent }, count) {
  const event = kind === "gap" || kind === "outside" ? text : `${type} ${details}`.trim();
  const place = from ? `${nameOf(from)} to ${nameOf(to)}` : "";
  const handler = entry.event?.handler ? `handler ${entry.event.handler}` : "";
  const difference = isDifferent ? "the first difference" : "";
  return [`${index + 1} of ${count}: ${event}`, place, handler, difference].filter(Boolean).join(", ");
}
