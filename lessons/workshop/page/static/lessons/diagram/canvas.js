// Draws a diagram as SVG in a box that scrolls. Rows are drawn once; the lines behind them in each frame.

import { drawBar, drawLane, drawLifeline, drawRow, svg } from "./drawing.js";

const ROW_HEIGHT = 30; // pixels at zoom 1
const FONT_SIZE = 13;
const MIN_FONT_SIZE = 12;
const LEFT = 58; // pixels for the time
const LEFT_WITHOUT_TIMES = 8;
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
  }

  scaleFor(zoom, isTimed) {
    if (zoom !== this.scale?.zoom) {
      this.box.style.setProperty("--font-size", `${Math.max(FONT_SIZE * zoom, MIN_FONT_SIZE)}px`);
      this.box.style.setProperty("--zoom", zoom);
      const probe = this.svg.appendChild(svg("text", { class: "label" }, "m".repeat(50)));
      this.character = probe.getComputedTextLength() / 50;
      probe.remove();
    }
    const left = (isTimed ? LEFT : LEFT_WITHOUT_TIMES) * zoom;
    return { zoom, character: this.character, height: ROW_HEIGHT * zoom, left, width: this.box.clientWidth };
  }

  place(layout, scale) {
    const key = JSON.stringify([scale, layout.lanes.map(({ x }) => x)]);
    if (key !== this.key) {
      this.drawn.clear();
      this.rows.replaceChildren();
    }
    Object.assign(this, { layout, scale, key });
    this.height = Math.max((layout.height + 0.5) * scale.height, this.room); // at least that of the box
    for (const [name, value] of Object.entries({ width: scale.width, height: this.height })) {
      this.area.style[name] = `${value}px`;
      this.svg.setAttribute(name, value);
    }
    this.drawnCount = Math.min(this.drawnCount, layout.rows.length);
    this.area.inert = !layout.rows.length; // no row, nothing to choose
  }

  // The height of the box below the names of the lanes.
  get room() {
    return this.box.clientHeight - this.area.offsetTop;
  }

  get isAtEnd() {
    return this.area.offsetHeight - this.box.scrollTop - this.room < END_TOLERANCE;
  }

  scrollToEnd() {
    this.box.scrollTop = this.box.scrollHeight;
  }

  // Scrolls this box only: the page must not move under the reader.
  reveal(index) {
    const { box, room, scale: { height } } = this;
    const first = this.layout.rows[index].top * height;
    const last = first + 1.5 * height;
    if (first < box.scrollTop) box.scrollTop = first - height;
    else if (last > box.scrollTop + room) box.scrollTop = last - room;
  }

  rowAt(clientY) {
    const y = (clientY - this.area.getBoundingClientRect().top) / this.scale?.height;
    return this.layout?.rows.find(({ top }) => y >= top && y < top + 1);
  }

  draw({ chosen, hovered, pointed }) {
    const { layout, scale, height } = this;
    const pointedBar = layout.rows.find(({ entry }) => entry === pointed)?.bar;
    this.lines.replaceChildren(
      ...layout.lanes.map(({ kind, x }) => drawLane(kind, x, height)),
      ...this.bands(chosen, hovered),
      ...layout.lifelines.flatMap((life) => drawLifeline(life, scale, height)),
      ...layout.bars.map((bar) => drawBar(bar, scale, bar === pointedBar)),
    );
    this.drawRows(layout.rows);
    for (const { made, index } of this.drawn.values()) {
      made.classList.toggle("chosen", index === chosen);
      made.classList.toggle("hovered", index === hovered);
    }
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
    const entries = new Set(rows.map(({ entry }) => entry));
    for (const [entry, { made }] of this.drawn) {
      if (entries.has(entry)) continue;
      made.remove();
      this.drawn.delete(entry);
    }
    const firstAnimated = Math.max(this.drawnCount, rows.length - MAX_ANIMATED);
    for (const row of rows) {
      const known = this.drawn.get(row.entry);
      if (known?.index === row.index && known.top === row.top) continue;
      known?.made.remove();
      const made = this.rows.appendChild(drawRow(row, this.scale));
      if (row.index >= firstAnimated) made.classList.add("new");
      this.drawn.set(row.entry, { made, index: row.index, top: row.top });
    }
    this.drawnCount = rows.length;
  }
}
