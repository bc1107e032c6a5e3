// The page's transcript as a table: one row an entry. The diagram is the other view of it.

import { gapText } from "./layout.js";
import { drawMessage, element } from "./message.js";
import { Transcript } from "./transcript.js";

const AT_ONCE = 60; // rows made in one frame
const ARROWS = { in: ["→", "to the consumer"], out: ["←", "from the consumer"], mark: ["·", ""] };

export class Log {
  constructor({ box, body, nothing, missing }) {
    Object.assign(this, { box, body, nothing, missing });
  }

  show(transcript) {
    this.transcript = transcript;
    transcript.addEventListener("change", ({ detail }) => this.grow(detail));
    this.grow({ from: 0, trimmed: 0 });
  }

  // What stays the same stays where it is: somebody may be reading it.
  grow({ from, trimmed }) {
    const { rows } = this.body;
    for (let count = Math.min(trimmed, rows.length); count; count -= 1) rows[0].remove();
    while (rows.length > from) rows[rows.length - 1].remove();
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = null;
    const { entries, lost } = this.transcript;
    const followed = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 40;
    const made = this.body.rows.length;
    for (const entry of entries.slice(made, made + AT_ONCE)) {
      this.body.append(entry.event ? rowOf(entry) : gapOf(entry));
    }
    this.nothing.hidden = entries.length > 0;
    this.missing.textContent = lost ? `${lost} events not shown` : "";
    if (followed) this.box.scrollTop = this.box.scrollHeight;
    if (this.body.rows.length < entries.length) this.grow({ from: Infinity, trimmed: 0 });
  }
}

function gapOf(entry) {
  const row = newRow();
  row.className = "gap";
  const cell = insertCell(row);
  cell.colSpan = 6;
  cell.textContent = gapText(entry);
  return row;
}

function rowOf(entry) {
  const { of, event } = entry;
  const row = newRow();
  row.id = `event-${Transcript.idOf(entry)}`;
  row.dataset.lane = event.lane;
  row.classList.toggle("first", event.seq === 1);
  insertCell(row).textContent = event.seq;
  insertCell(row).textContent = ((event.time - of.begun) * 1000).toFixed(1);
  insertCell(row).textContent = [event.lane, of.client, of.server].filter(Boolean).join(" ");
  const cell = insertCell(row);
  cell.append(arrow(event.direction), " ");
  drawMessage(cell, event.message);
  insertCell(row).textContent = event.handler ?? "";
  insertCell(row).textContent = event.thread;
  return row;
}

function newRow() {
  const row = document.createElement("tr");
  row.setAttribute("role", "row"); // said aloud, since a narrow page lays rows out as a grid
  return row;
}

function insertCell(row) {
  const cell = row.insertCell();
  cell.setAttribute("role", "cell");
  return cell;
}

function arrow(direction) {
  const [sign, meaning] = ARROWS[direction] ?? ["?", direction];
  const made = element("span", sign, "arrow");
  if (meaning) {
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", meaning);
  } else {
    made.setAttribute("aria-hidden", "true");
  }
  return made;
}
