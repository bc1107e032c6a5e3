// The part of a box that is in view.
//
// The browser is asked for sizes when they change, not in a frame: there the answer costs a layout.

import { drawBar, drawLane, drawLife, drawRow, svg } from "./drawing.js";

const NEAR = 40; // pixels from the end that still count as being there

export class View {
  constructor(box, area) {
    Object.assign(this, { box, area, width: 0, height: 0, top: 0, tall: 0 });
  }

  watch({ onScroll, onResize }) {
    const { box } = this;
    const scrolled = () => {
      this.top = box.scrollTop;
      onScroll();
    };
    const resized = () => {
      this.width = box.clientWidth;
      this.height = box.clientHeight - this.area.offsetTop; // of what is in view, below the heads
      onResize();
    };
    box.addEventListener("scroll", scrolled, { passive: true });
    new ResizeObserver(resized).observe(box);
  }

  // The area becomes as large as what is in it, and no smaller than its box.
  fit(width, height) {
    this.tall = Math.max(height, this.height);
    this.area.style.height = `${this.tall}px`;
    this.area.style.width = `${width}px`;
  }

  get isAtEnd() {
    return this.tall - this.top - this.height < NEAR;
  }

  // Scrolls the box alone: the page under a reader's eyes stays where it is.
  reveal(first, last, before) {
    if (first < this.top) this.scrollTo(first - before);
    else if (last > this.top + this.height) this.scrollTo(last - this.height);
  }

  scrollTo(top) {
    this.top = Math.max(0, Math.min(top, this.tall - this.height));
    this.isMoved = true;
  }

  // The last that a frame does, for it takes a layout.
  settle() {
    if (this.isMoved) this.box.scrollTop = this.top;
    this.isMoved = false;
  }
}

// The part of a diagram that is in view, as SVG: the rows that come into it are added, those that
// leave it are taken away.

const ROW = 28; // pixels at zoom 1
const LETTERS = 11.5;
const LEFT = 50; // room for the time
const BEYOND = 5; // rows drawn above and below what is in view
const FEW = 6; // rows at the end that may appear by and by; in a flood nothing would be seen else

export class Canvas {
  constructor(box, label) {
    this.box = box;
    this.area = box.appendChild(document.createElement("div"));
    this.area.className = "canvas";
    this.area.tabIndex = 0;
    this.area.setAttribute("role", "slider"); // one thing to reach, whose value arrow keys change
    this.area.setAttribute("aria-orientation", "vertical");
    this.area.setAttribute("aria-label", label);
    this.lines = svg("g");
    this.rows = svg("g");
    this.svg = this.area.appendChild(svg("svg", { "aria-hidden": "true" }, this.lines, this.rows));
    this.drawn = new Map(); // entry → {made, index}
    this.newest = 0; // rows there were when they were last drawn
    this.view = new View(box, this.area);
  }

  scaleFor(zoom) {
    if (zoom !== this.scale?.zoom) {
      this.box.style.setProperty("--letters", `${LETTERS * zoom}px`);
      const probe = this.svg.appendChild(svg("text", { class: "label" }, "m".repeat(50)));
      this.character = probe.getComputedTextLength() / 50;
      probe.remove();
    }
    const { character, view } = this;
    return { zoom, character, height: ROW * zoom, left: LEFT * zoom, width: view.width };
  }

  place(layout, scale) {
    const made = JSON.stringify([scale, layout.lanes.map(({ x }) => x)]);
    if (made !== this.made) this.forget();
    Object.assign(this, { layout, scale, made });
    this.view.fit(scale.width, (layout.rows.length + 0.5) * scale.height);
    this.newest = Math.min(this.newest, layout.rows.length);
  }

  forget() {
    this.drawn.clear();
    this.rows.replaceChildren();
  }

  reveal(index) {
    const { height } = this.scale;
    this.view.reveal(index * height, (index + 1.5) * height, height);
  }

  rowAt(clientY) {
    const y = clientY - this.area.getBoundingClientRect().top;
    return this.layout?.rows[Math.floor(y / this.scale.height)];
  }

  draw({ chosen, hovered, pointed }) {
    const { layout, scale, view } = this;
    const first = Math.max(0, Math.floor(view.top / scale.height) - BEYOND);
    const last = Math.ceil((view.top + view.height) / scale.height) + BEYOND;
    const top = first * scale.height;
    const tall = Math.max(1, Math.min((last + 1) * scale.height, view.tall) - top);
    this.svg.style.transform = `translateY(${top}px)`;
    this.svg.setAttribute("viewBox", `0 ${top} ${scale.width} ${tall}`);
    this.svg.setAttribute("width", scale.width);
    this.svg.setAttribute("height", tall);
    const isSeen = ({ from, to }) => from <= last && to >= first;
    const isRunning = ({ ended, ...life }) => isSeen(ended ? life : { ...life, to: Infinity });
    this.lines.replaceChildren(
      ...layout.lanes.map(({ kind, x }) => drawLane(kind, x, top, tall)),
      ...this.bands(chosen, hovered),
      ...layout.lives.filter(isRunning).flatMap((life) => drawLife(life, scale, view.tall)),
      ...layout.bars.filter(isSeen).map((bar) => drawBar(bar, scale, bar === this.barOf(pointed))),
    );
    this.drawRows(layout.rows.slice(first, last));
    for (const { made, index } of this.drawn.values()) {
      made.classList.toggle("chosen", index === chosen);
      made.classList.toggle("hovered", index === hovered);
    }
    view.settle();
  }

  // Behind a row: the one under the pointer, the one that was chosen, the first that differs.
  bands(chosen, hovered) {
    const difference = this.layout.rows.findIndex(({ isDifferent }) => isDifferent);
    const { height, width } = this.scale;
    return Object.entries({ difference, hovered, chosen })
      .filter(([, index]) => index >= 0)
      .map(([name, index]) => svg("rect", { class: name, y: index * height, width, height }));
  }

  barOf(entry) {
    return this.layout.rows.find((row) => row.entry === entry)?.bar;
  }

  drawRows(rows) {
    const kept = new Set(rows.map(({ entry }) => entry));
    for (const [entry, { made }] of this.drawn) {
      if (kept.has(entry)) continue;
      made.remove();
      this.drawn.delete(entry);
    }
    const calm = this.layout.rows.length - FEW;
    for (const row of rows) {
      const known = this.drawn.get(row.entry);
      if (known?.index === row.index) continue;
      known?.made.remove();
      const made = this.rows.appendChild(drawRow(row, this.scale));
      if (row.index >= Math.max(this.newest, calm)) made.classList.add("new");
      this.drawn.set(row.entry, { made, index: row.index });
    }
    this.newest = this.layout.rows.length;
  }
}
