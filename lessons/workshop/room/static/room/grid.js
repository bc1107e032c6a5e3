// The students as a table: a row for each student, a column for each lesson. Arrow keys move between
// the cells that are links.

import { element, headerCell, setText } from "../lessons/common/dom.js";
import { nameParts } from "./names.js";
import { moves } from "./room_state.js";

const SIGNS = { red: "✗", green: "✓", read: "●", new: "○" };
const WORDS = { red: "red", green: "green", read: "read", new: "not started" };
const KEYS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

export class Grid {
  lines = new Map(); // id → {line, row}

  constructor(table, board) {
    Object.assign(this, { table, board });
    table.addEventListener("keydown", (event) => this.move(event));
  }

  // The columns. They never change while the page is open.
  setLessons(lessons) {
    if (this.lessons) return;
    this.lessons = lessons;
    const head = this.table.createTHead().insertRow();
    head.append(headerCell("Student", "col"));
    for (const { number, slug, title } of lessons) {
      const cell = headerCell("", "col");
      const short = element("abbr", number);
      short.title = `${slug}: ${title}`;
      cell.append(short);
      head.append(cell);
    }
    this.body = this.table.createTBody();
    this.foot = this.table.createTFoot().insertRow();
    this.foot.append(headerCell("Green", "row"), ...lessons.map(() => element("td", "")));
  }

  draw(rows, changed) {
    const shown = new Set(rows.map(({ id }) => id));
    for (const [id, { line }] of this.lines) {
      if (shown.has(id)) continue;
      line.remove();
      this.lines.delete(id);
    }
    for (const row of rows) {
      if (!this.lines.has(row.id)) this.lines.set(row.id, { line: this.makeLine() });
      else if (!changed.has(row.id)) continue;
      this.fill(this.lines.get(row.id), row);
    }
    const wanted = rows.map(({ id }) => this.lines.get(id).line);
    for (const [line, before] of moves(this.body.children, wanted)) this.body.insertBefore(line, before);
    this.lessons.forEach(({ slug }, index) => {
      const green = rows.filter(({ standings }) => standings[slug] === "green").length;
      setText(this.foot.cells[index + 1], green ? String(green) : "");
    });
    if (!this.table.querySelector("td a[tabindex='0']")) this.cells()[0]?.setAttribute("tabindex", "0");
  }

  makeLine() {
    const line = document.createElement("tr");
    line.append(headerCell("", "row"), ...this.lessons.map(() => element("td", "")));
    return line;
  }

  fill(entry, row) {
    const { line } = entry;
    line.dataset.version = row.version;
    line.classList.toggle("away", !row.connected);
    const [first, ...cells] = line.cells;
    const link = element("a", "");
    link.href = this.board.page(row, row.lesson);
    link.append(...nameParts(row));
    first.replaceChildren(...(row.handAt === null ? [] : [element("span", "hand", "hand-sign"), " "]), link);
    this.lessons.forEach(({ slug, number }, index) => this.fillCell(cells[index], row, slug, number));
    entry.row = row;
  }

  fillCell(cell, row, slug, number) {
    const state = row.standings[slug] ?? "";
    const mark = `${state}${row.lesson === slug ? " now" : ""}`;
    if (cell.dataset.mark === mark) return;
    Object.assign(cell.dataset, { mark, state });
    cell.classList.toggle("now", row.lesson === slug);
    if (!state) return void cell.replaceChildren();
    const link = element("a", SIGNS[state] ?? "?");
    link.href = this.board.page(row, slug);
    link.tabIndex = -1;
    link.setAttribute("aria-label", `Lesson ${number}: ${WORDS[state] ?? state}`);
    return void cell.replaceChildren(link);
  }

  cells() {
    return [...this.body.querySelectorAll("td a")];
  }

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
