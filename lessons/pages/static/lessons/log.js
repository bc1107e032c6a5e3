// What the server recorded, as a table: one row an event, in the recorder's order.

import { drawMessage, element } from "./message.js";

const MOST = 1000; // rows kept on the page
const ARROWS = { in: ["→", "to the consumer"], out: ["←", "from the consumer"], mark: ["·", ""] };

export class Log {
  constructor({ box, body, nothing, missing }) {
    Object.assign(this, { box, body, nothing, missing });
    this.begun = new Map(); // connection → when its first event was
    this.known = new Map(); // connection → up to which number its events are shown or missed
    this.clear();
  }

  clear() {
    this.body.replaceChildren();
    this.nothing.hidden = false;
    this.lost = 0;
    this.tell();
  }

  // Events of one connection, in order. Nothing up to number `recorded` is still to come. `server`
  // is the name of the one that recorded them, where there are several.
  add({ recorded, events }, server = "") {
    const followed = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 40;
    const { connection } = events[0];
    let known = this.known.get(connection) ?? 0;
    for (const event of events) {
      this.gap(event.seq - known - 1);
      known = event.seq;
      this.row(event, server);
    }
    this.gap(recorded - known);
    this.known.set(connection, Math.max(recorded, known));
    while (this.body.rows.length > MOST) {
      const [oldest] = this.body.rows;
      if (oldest.className !== "gap") this.lost += 1; // a gap's own are counted already
      oldest.remove();
    }
    this.nothing.hidden = this.body.rows.length > 0;
    this.tell();
    if (followed) this.box.scrollTop = this.box.scrollHeight;
  }

  gap(count) {
    if (count <= 0) return;
    this.lost += count;
    const row = this.insertRow();
    row.className = "gap";
    const cell = insertCell(row);
    cell.colSpan = 6;
    cell.textContent = `${count} events not shown`;
  }

  row({ seq, time, lane, direction, message, handler, thread, connection }, server) {
    if (!this.begun.has(connection)) this.begun.set(connection, time);
    const row = this.insertRow();
    row.dataset.lane = lane;
    row.classList.toggle("first", seq === 1);
    insertCell(row).textContent = seq;
    insertCell(row).textContent = ((time - this.begun.get(connection)) * 1000).toFixed(1);
    insertCell(row).textContent = server ? `${lane} ${server}` : lane;
    const cell = insertCell(row);
    cell.append(arrow(direction), " ");
    drawMessage(cell, message);
    insertCell(row).textContent = handler ?? "";
    insertCell(row).textContent = thread;
  }

  insertRow() {
    const row = this.body.insertRow();
    row.setAttribute("role", "row"); // said aloud, since a narrow page lays rows out as a grid
    return row;
  }

  tell() {
    this.missing.textContent = this.lost ? `${this.lost} events not shown` : "";
  }
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
