// The page's transcript as a table, with one row for each entry. The diagram is the other view of it.

import { element, loadCss, queueFrame, withoutDirectionMarks } from "../common/dom.js";
import { detailsOf, typeOf } from "../diagram/event_text.js";
import { gapText } from "../diagram/layout.js";
import { Transcript } from "../diagram/transcript.js";

await loadCss("live/event_table.css");

const MIN_ROWS_PER_FRAME = 10;
const FRAME_BUDGET = 4; // milliseconds in which a frame may make more rows than that
const ROWS_PER_GROUP = 25; // the browser lays out, or skips, a whole group
const END_TOLERANCE = 40; // pixels from the end that still count as the end
const ARROWS = { in: ["→", "to the consumer"], out: ["←", "from the consumer"], mark: ["·", ""] };

export class EventTable {
  // `placeholder` is visible while there are no entries; `lost` says how many events are missing.
  constructor({ box, table, placeholder, lost }) {
    Object.assign(this, { box, table, placeholder, lost, rows: [] });
    this.onChange = ({ detail }) => this.update(detail);
    box.addEventListener("copy", (event) => copyRows(event, table));
  }

  show(transcript) {
    this.transcript?.removeEventListener("change", this.onChange);
    this.transcript = transcript;
    transcript.addEventListener("change", this.onChange);
    this.update({ from: 0, trimmed: 0 });
  }

  // Keeps the rows that have not changed, because the user may be reading them.
  update({ from, trimmed }) {
    const removed = [...this.rows.splice(0, trimmed), ...this.rows.splice(Math.max(0, from))];
    for (const row of removed) row.remove();
    if (removed.length) for (const group of [...this.table.tBodies]) group.rows.length || group.remove();
    queueFrame(this, () => this.draw());
  }

  draw() {
    const { entries, lost } = this.transcript;
    const { scrollHeight, scrollTop, clientHeight } = this.box;
    const wasAtEnd = scrollHeight - scrollTop - clientHeight < END_TOLERANCE;
    const start = performance.now();
    for (const [index, entry] of entries.slice(this.rows.length).entries()) {
      if (index >= MIN_ROWS_PER_FRAME && performance.now() - start > FRAME_BUDGET) break;
      this.append(entry.event ? eventRow(entry, this.transcript.begun) : gapRow(entry));
    }
    this.placeholder.hidden = entries.length > 0;
    this.lost.textContent = lost ? `${lost} events not shown` : "";
    if (wasAtEnd) this.box.scrollTop = this.box.scrollHeight;
    if (this.rows.length < entries.length) queueFrame(this, () => this.draw());
  }

  append(row) {
    let group = this.table.tBodies[this.table.tBodies.length - 1];
    if (!group || group.rows.length >= ROWS_PER_GROUP) {
      group = this.table.createTBody();
      group.setAttribute("role", "rowgroup");
    }
    group.append(row);
    this.rows.push(row);
  }
}

function gapRow(entry) {
  const row = newRow();
  row.className = "gap";
  addCell(row, gapText(entry)).colSpan = 6;
  return row;
}

function eventRow(entry, begun) {
  const { of, event } = entry;
  const row = newRow();
  row.id = `event-${Transcript.idOf(entry)}`;
  row.dataset.lane = event.lane;
  row.classList.toggle("first", event.seq === 1);
  addCell(row, event.seq);
  addCell(row, ((event.time - begun) * 1000).toFixed(1));
  addCell(row, [event.lane, of.client, of.server].filter(Boolean).join(" "));
  const cell = addCell(row, "");
  cell.append(arrow(event.direction), " ");
  appendEvent(cell, event);
  addCell(row, event.handler ?? "");
  addCell(row, event.thread);
  return row;
}

function newRow() {
  const row = document.createElement("tr");
  row.setAttribute("role", "row"); // explicit, because the CSS lays rows out as a grid
  return row;
}

function addCell(row, text) {
  const cell = row.insertCell();
  cell.setAttribute("role", "cell");
  cell.textContent = text;
  return cell;
}

function arrow(direction) {
  const [sign, meaning] = ARROWS[direction] ?? ["?", direction];
  const made = element("span", sign, "arrow");
  const attributes = meaning ? { role: "img", "aria-label": meaning } : { "aria-hidden": "true" };
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// The event's text came from the network, so it becomes text nodes and nothing else. The user can
// open the full message if the line is shortened, or leaves headers out.
function appendEvent(cell, event) {
  const { type, headers, sql } = event.message;
  const line = detailsOf(event);
  const whole = withoutDirectionMarks((type === "query" ? sql : event.literal) ?? "");
  cell.append(element("b", typeOf(event)), " ");
  if (!headers && !line.includes("…")) {
    cell.append(element("span", line));
    return;
  }
  const details = document.createElement("details");
  details.append(element("summary", line), element("pre", whole));
  cell.append(details);
}

// Copies selected rows with tabs between cells, because the CSS does not lay them out as a table.
function copyRows(event, table) {
  const selection = getSelection();
  const rows = [...table.rows].filter((row) => selection.containsNode(row, true));
  if (rows.length < 2) return; // the browser copies a part of one row
  const lines = rows.map(({ cells }) => [...cells].map((cell) => cell.textContent.trim()).join("\t"));
  event.clipboardData.setData("text/plain", lines.join("\n"));
  event.preventDefault();
}
