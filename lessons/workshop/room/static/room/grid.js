// The students as a table: a row for each student, a column for each of today's lessons, or of all.

import { element, headerCell, setText } from "../lessons/common/dom.js";
import { nameParts, shownName } from "./names.js";
import { WORDS } from "./room_state.js";
import { arrange } from "./tiles.js";

const SIGNS = { red: "✗", green: "✓", read: "●", unchanged: "○", new: "○" };
const KEYS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

export class Grid {
  lines = new Map(); // id → row of the table

  constructor(table, board) {
    Object.assign(this, { table, board });
    table.addEventListener("keydown", (event) => this.move(event));
  }

  setLessons(lessons) {
    const key = lessons.map(({ slug }) => slug).join(" ");
    if (this.key === key) return;
    Object.assign(this, { key, lessons, lines: new Map() });
    this.table.replaceChildren();
    const head = this.table.createTHead().insertRow();
    head.append(headerCell("Student", "col"));
    for (const { number, slug, title, isOptional } of lessons) {
      const cell = headerCell("", "col");
      const short = element("abbr", isOptional ? `(${number})` : String(number));
      short.title = `${slug}: ${title}${isOptional ? ", optional" : ""}`;
      cell.append(short);
      head.append(cell);
    }
    this.body = this.table.createTBody();
    this.foot = this.table.createTFoot().insertRow();
    this.foot.append(headerCell("Green", "row"), ...lessons.map(() => element("td", "")));
  }

  draw(rows) {
    const known = this.lines;
    this.lines = new Map(rows.map(({ id }) => [id, known.get(id) ?? this.makeLine()]));
    for (const row of rows) this.fill(this.lines.get(row.id), row);
    arrange(this.body, [...this.lines.values()]);
    this.lessons.forEach(({ slug }, index) => {
      const green = rows.filter(({ standings }) => standings[slug]?.state === "green").length;
      setText(this.foot.cells[index + 1], green ? String(green) : "");
    });
    if (!this.table.querySelector("td a[tabindex='0']")) this.body.querySelector("td a")?.setAttribute("tabindex", "0");
  }

  makeLine() {
    const line = document.createElement("tr");
    line.append(headerCell("", "row"), ...this.lessons.map(() => element("td", "")));
    return line;
  }

  fill(line, row) {
    line.classList.toggle("away", !row.connected);
    const [first, ...cells] = line.cells;
    const label = `${row.hand !== null} ${shownName(row)}`;
    if (first.dataset.label !== label) {
      first.dataset.label = label;
      const link = element("a", "");
      link.href = this.board.page(row, row.lesson);
      link.append(...nameParts(row));
      first.replaceChildren(...(row.hand === null ? [] : [element("span", "hand", "hand-sign"), " "]), link);
    }
    this.lessons.forEach(({ slug, number }, index) => this.fillCell(cells[index], row, slug, number));
  }

  fillCell(cell, row, slug, number) {
    const state = row.standings[slug]?.state ?? "";
    cell.classList.toggle("now", row.lesson === slug);
    if (cell.dataset.state === state) return;
    cell.dataset.state = state;
    if (!state) return void cell.replaceChildren();
    const link = element("a", SIGNS[state]);
    link.href = this.board.page(row, slug);
    link.tabIndex = -1;
    link.setAttribute("aria-label", `Lesson ${number}: ${WORDS[state]}`);
    return void cell.replaceChildren(link);
  }

  // Arrow keys move between the cells that are links.
  move(event) {
    const from = event.target.closest("td");
    if (!from || !(event.key in KEYS)) return;
    event.preventDefault();
    const [down, right] = KEYS[event.key];
    let { rowIndex } = from.parentElement;
    let { cellIndex } = from;
    for (;;) {
      rowIndex += down;
      cellIndex += right;
      const next = this.table.rows[rowIndex]?.cells[cellIndex];
      if (!next || next.parentElement.parentElement !== this.body) return;
      const link = next.querySelector("td a");
      if (!link) continue;
      for (const one of this.table.querySelectorAll("td a[tabindex='0']")) one.tabIndex = -1;
      link.tabIndex = 0;
      link.focus();
      return;
    }
  }
}
