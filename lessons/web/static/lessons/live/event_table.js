// The page's transcript as a table: one row an entry. The diagram is the other view of it.

import { element, queueFrame } from "../common/dom.js";
import { detailsOf, typeOf } from "../diagram/event_text.js";
import { gapText } from "../diagram/layout.js";
import { Transcript } from "../diagram/transcript.js";

const AT_ONCE = 10; // rows made in one frame, or more where that takes less than so many ms
const BUDGET = 4;
const TOGETHER = 25; // rows that are laid out, or left out of view, together
const ARROWS = { in: ["→", "to the consumer"], out: ["←", "from the consumer"], mark: ["·", ""] };

export class EventTable {
  constructor({ box, body, nothing, missing }) {
    Object.assign(this, { box, body, nothing, missing, rows: [] });
    box.addEventListener("copy", (event) => copyRows(event, body));
  }

  show(transcript) {
    this.transcript = transcript;
    transcript.addEventListener("change", ({ detail }) => this.grow(detail));
    this.grow({ from: 0, trimmed: 0 });
  }

  // What stays the same stays where it is: somebody may be reading it.
  grow({ from, trimmed }) {
    const gone = [...this.rows.splice(0, trimmed), ...this.rows.splice(Math.max(0, from))];
    for (const row of gone) row.remove();
    for (const group of gone.length ? [...this.body.tBodies] : []) group.rows.length || group.remove();
    queueFrame(this, () => this.draw());
  }

  draw() {
    const { entries, lost } = this.transcript;
    const followed = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 40;
    const begun = performance.now();
    for (const [index, entry] of entries.slice(this.rows.length).entries()) {
      if (index >= AT_ONCE && performance.now() - begun > BUDGET) break;
      this.append(entry.event ? rowOf(entry) : gapOf(entry));
    }
    this.nothing.hidden = entries.length > 0;
    this.missing.textContent = lost ? `${lost} events not shown` : "";
    if (followed) this.box.scrollTop = this.box.scrollHeight;
    if (this.rows.length < entries.length) this.grow({ from: Infinity, trimmed: 0 });
  }

  append(row) {
    let group = this.body.tBodies[this.body.tBodies.length - 1];
    if (!group || group.rows.length >= TOGETHER) {
      group = this.body.createTBody();
      group.setAttribute("role", "rowgroup");
    }
    group.append(row);
    this.rows.push(row);
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
  drawEvent(cell, event);
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

// Cells side by side, though the page does not lay them out as a table.
function copyRows(event, body) {
  const selection = getSelection();
  const rows = [...body.rows].filter((row) => selection.containsNode(row, true));
  if (rows.length < 2) return; // a part of one row is copied as it stands
  const lines = rows.map(({ cells }) => [...cells].map((cell) => cell.textContent.trim()).join("\t"));
  event.clipboardData.setData("text/plain", lines.join("\n"));
  event.preventDefault();
}

// Draws an event. Its text came from the network, so it becomes text nodes and nothing else. The
// full message can be opened if the line is shortened or leaves something out.
function drawEvent(cell, event) {
  const { type, headers, sql } = event.message;
  const line = detailsOf(event);
  cell.append(element("b", typeOf(event)), " ");
  if (!headers && !line.includes("…")) {
    cell.append(element("span", line));
    return;
  }
  const details = document.createElement("details");
  details.append(element("summary", line), element("pre", type === "query" ? sql : event.literal));
  cell.append(details);
}
