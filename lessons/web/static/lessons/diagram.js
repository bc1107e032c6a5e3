// A transcript as a sequence diagram: what is shown of it, and what it points at.

import { Canvas } from "./canvas.js";
import { Heads } from "./heads.js";
import { spread } from "./lanes.js";
import { layout } from "./layout.js";
import { point } from "./pointing.js";
import { inTurn } from "./turns.js";

export class Diagram {
  // `onSelect(entry, isChosen)` is called with what the diagram points at: what was chosen or is
  // under the pointer, else the newest; null where there is nothing.
  constructor(box, { onSelect = () => {}, label = "Sequence diagram" } = {}) {
    Object.assign(this, { box, onSelect, zoom: 1, folded: new Set(), transcript: null });
    box.classList.add("diagram");
    this.heads = new Heads(box, (key) => this.fold(key));
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
    inTurn(this, () => {
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
