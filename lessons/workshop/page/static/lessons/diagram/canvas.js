// Draws the visible part of a diagram as SVG. Rows that become visible are added, others are removed.

import { drawBar, drawLane, drawLifeline, drawRow, svg } from "./drawing.js";

const ROW_HEIGHT = 30; // pixels at zoom 1
const FONT_SIZE = 13;
const MIN_FONT_SIZE = 12;
const LEFT = 58; // pixels for the time
const LEFT_WITHOUT_TIMES = 8;
const MARGIN_ROWS = 5; // rows drawn above and below the visible ones
const MAX_ANIMATED = 6; // newest rows that appear with an animation; in a flood more would hide others
const END_TOLERANCE = 40; // pixels from the end that still count as the end

export class Canvas {
  constructor(box, label) {
    this.box = box;
    this.area = box.appendChild(document.createElement("div"));
    Object.assign(this.area, { className: "canvas", tabIndex: 0 });
    this.area.setAttribute("role", "slider"); // one focusable element, whose value arrow keys change
    this.area.setAttribute("aria-orientation", "vertical");
    this.area.setAttribute("aria-label", label);
    this.lines = svg("g");
    this.rows = svg("g");
    this.svg = this.area.appendChild(svg("svg", { "aria-hidden": "true" }, this.lines, this.rows));
    this.drawn = new Map(); // entry → {made, index, top}
    this.drawnCount = 0; // rows that existed at the last drawing
    this.view = new ScrollView(box, this.area);
  }

  scaleFor(zoom, isTimed) {
    if (zoom !== this.scale?.zoom) {
      this.box.style.setProperty("--font-size", `${Math.max(FONT_SIZE * zoom, MIN_FONT_SIZE)}px`);
      this.box.style.setProperty("--zoom", zoom);
      const probe = this.svg.appendChild(svg("text", { class: "label" }, "m".repeat(50)));
      this.character = probe.getComputedTextLength() / 50;
      probe.remove();
    }
    const { character, view } = this;
    const left = (isTimed ? LEFT : LEFT_WITHOUT_TIMES) * zoom;
    return { zoom, character, height: ROW_HEIGHT * zoom, left, width: view.width };
  }

  place(layout, scale) {
    const key = JSON.stringify([scale, layout.lanes.map(({ x }) => x)]);
    if (key !== this.key) {
      this.drawn.clear();
      this.rows.replaceChildren();
    }
    Object.assign(this, { layout, scale, key });
    this.view.fit(scale.width, (layout.height + 0.5) * scale.height);
    this.drawnCount = Math.min(this.drawnCount, layout.rows.length);
    this.area.inert = !layout.rows.length; // no row, nothing to choose
  }

  reveal(index) {
    const { height } = this.scale;
    const { top } = this.layout.rows[index];
    this.view.reveal(top * height, (top + 1.5) * height, height);
  }

  rowAt(clientY) {
    const y = (clientY - this.area.getBoundingClientRect().top) / this.scale?.height;
    return this.layout?.rows.find(({ top }) => y >= top && y < top + 1);
  }

  draw({ chosen, hovered, pointed }) {
    const { layout, scale, view } = this;
    const { first, last } = this.visibleRows();
    const top = Math.max(0, view.top - MARGIN_ROWS * scale.height);
    const height = Math.max(1, Math.min(view.height + 2 * MARGIN_ROWS * scale.height, view.fullHeight - top));
    this.svg.style.transform = `translateY(${top}px)`;
    this.svg.setAttribute("viewBox", `0 ${top} ${scale.width} ${height}`);
    this.svg.setAttribute("width", scale.width);
    this.svg.setAttribute("height", height);
    const isVisible = ({ from, to }) => from <= last && to >= first;
    const isAlive = ({ ended, ...life }) => isVisible(ended ? life : { ...life, to: Infinity });
    const pointedBar = layout.rows.find(({ entry }) => entry === pointed)?.bar;
    this.lines.replaceChildren(
      ...layout.lanes.map(({ kind, x }) => drawLane(kind, x, top, height)),
      ...this.bands(chosen, hovered),
      ...layout.lifelines.filter(isAlive).flatMap((life) => drawLifeline(life, scale, view.fullHeight)),
      ...layout.bars.filter(isVisible).map((bar) => drawBar(bar, scale, bar === pointedBar)),
    );
    this.drawRows(layout.rows.slice(first, last + 1));
    for (const { made, index } of this.drawn.values()) {
      made.classList.toggle("chosen", index === chosen);
      made.classList.toggle("hovered", index === hovered);
    }
    view.applyScroll();
  }

  // The numbers of the first and the last row to draw.
  visibleRows() {
    const { layout: { rows }, scale, view } = this;
    const top = view.top / scale.height - MARGIN_ROWS;
    const bottom = (view.top + view.height) / scale.height + MARGIN_ROWS;
    const first = rows.findIndex((row) => row.top + 1 > top);
    const last = rows.findLastIndex((row) => row.top < bottom);
    return { first: Math.max(0, first), last };
  }

  // The backgrounds of three rows: the first that differs, the hovered one, the chosen one.
  bands(chosen, hovered) {
    const difference = this.layout.rows.findIndex(({ isDifferent }) => isDifferent);
    const { height, width } = this.scale;
    return Object.entries({ difference, hovered, chosen })
      .filter(([, index]) => index >= 0)
      .map(([name, index]) => svg("rect", { class: name, y: this.layout.rows[index].top * height, width, height }));
  }

  drawRows(rows) {
    const visible = new Set(rows.map(({ entry }) => entry));
    for (const [entry, { made }] of this.drawn) {
      if (visible.has(entry)) continue;
      made.remove();
      this.drawn.delete(entry);
    }
    const firstAnimated = Math.max(this.drawnCount, this.layout.rows.length - MAX_ANIMATED);
    for (const row of rows) {
      const known = this.drawn.get(row.entry);
      if (known?.index === row.index && known.top === row.top) continue;
      known?.made.remove();
      const made = this.rows.appendChild(drawRow(row, this.scale));
      if (row.index >= firstAnimated) made.classList.add("new");
      this.drawn.set(row.entry, { made, index: row.index, top: row.top });
    }
    this.drawnCount = this.layout.rows.length;
  }
}

// The visible part of a scrolling box. It reads sizes when they change and not in a frame, because
// there the browser would have to compute a layout for the answer.
class ScrollView {
  constructor(box, area) {
    Object.assign(this, { box, area, width: 0, height: 0, top: 0, fullHeight: 0 });
  }

  watch({ onScroll, onResize }) {
    const { box, area } = this;
    box.onscroll = () => {
      this.top = box.scrollTop;
      onScroll();
    };
    new ResizeObserver(() => {
      Object.assign(this, { width: box.clientWidth, height: box.clientHeight - area.offsetTop });
      onResize();
    }).observe(box);
  }

  // Makes the area as large as its content, and at least as high as the box.
  fit(width, height) {
    this.fullHeight = Math.max(height, this.height);
    this.area.style.height = `${this.fullHeight}px`;
    this.area.style.width = `${width}px`;
  }

  get isAtEnd() {
    return this.fullHeight - this.top - this.height < END_TOLERANCE;
  }

  // Scrolls this box only: the page must not move under the reader.
  reveal(first, last, before) {
    if (first < this.top) this.scrollTo(first - before);
    else if (last > this.top + this.height) this.scrollTo(last - this.height);
  }

  scrollTo(top) {
    this.top = Math.max(0, Math.min(top, this.fullHeight - this.height));
    this.isMoved = true;
  }

  // The last action of a frame, because it needs a layout.
  applyScroll() {
    if (this.isMoved) this.box.scrollTop = this.top;
    this.isMoved = false;
  }
}
