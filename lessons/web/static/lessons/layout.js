// Where everything of a transcript stands in the diagram, in rows; drawing is another matter.

import { lanesAtRest, lanesOf } from "./lanes.js";
import { brieflyOf } from "./words.js";

const LATE = 1; // seconds without an event that are worth a line

// `{lanes, rows, bars, lives}` of the first `position` entries. `folded` holds keys of lanes whose
// events are left out, `differs` is the index of the first entry that another transcript has not.
export function layout(entries, { position, folded, differs }) {
  const { lanes, of } = entries.length ? lanesOf(entries) : lanesAtRest();
  const rows = [];
  const lives = new Map();
  const bars = new Bars();
  const begin = entries[0]?.time ?? 0;
  for (const [number, entry] of entries.slice(0, position).entries()) {
    const own = of.get(entry.of);
    const other = own[entry.event?.lane];
    if (folded.has(own.consumer.key) || (other && folded.has(other.key))) continue;
    const index = rows.length;
    const row = entry.event ? rowOf(entry, own) : { kind: "gap", text: gapText(entry) };
    const life = lives.get(entry.of) ?? { of: entry.of, own, from: index };
    lives.set(entry.of, Object.assign(life, { to: index, ended: life.ended || row.isEnd }));
    const isLate = index > 0 && entry.time - rows[index - 1].entry.time > LATE;
    const isDifferent = number === differs;
    rows.push({ ...row, entry, index, isLate, isDifferent, at: entry.time - begin });
    if (entry.event) Object.assign(rows[index], bars.take(entry, own.consumer, index));
  }
  if (differs === entries.length && position === differs) {
    const [index, at] = [rows.length, rows.at(-1)?.at ?? 0];
    rows.push({ kind: "gap", text: "nothing more", entry: {}, index, isDifferent: true, at });
  }
  return { lanes, rows, bars: bars.all, lives: [...lives.values()] };
}

function rowOf(entry, own) {
  const { lane, direction, message } = entry.event;
  const [type, telling] = (entry.brief ??= brieflyOf(message)); // a layout is made anew each frame
  const said = { type, telling };
  if (direction === "mark" || lane === "consumer") {
    const isEnd = ["finished", "raised", "cancelled"].includes(message.type);
    return { kind: "mark", ...said, on: own.consumer, isEnd };
  }
  const [from, to] = direction === "in" ? [own[lane], own.consumer] : [own.consumer, own[lane]];
  return { kind: message.type === "scope" ? "begin" : "arrow", ...said, from, to };
}

export function gapText({ count }) {
  return count === 1 ? "1 event not shown" : `${count} events not shown`;
}

// Handlers at work, on the consumers' lanes: `{lane, from, to, name, depth}`.
//
// A handler begins with the event that it is for, and is seen last with the last that it caused. A
// task that it started may go on under the next ones, so it gets a bar beside theirs.
class Bars {
  constructor() {
    this.all = [];
    this.open = new Map(); // connection → {handler, tasks: name → bar}
  }

  take({ of, event: { handler, direction, message } }, lane, row) {
    if (!this.open.has(of)) this.open.set(of, { handler: null, tasks: new Map() });
    const open = this.open.get(of);
    if (direction === "in" && message.type !== "scope") {
      open.handler = handler && this.begin(lane, row, handler, 0);
      return { bar: open.handler, begins: handler };
    }
    if (!handler) return {};
    if (open.handler?.name === handler) return this.extend(open.handler, row);
    if (open.tasks.has(handler)) return this.extend(open.tasks.get(handler), row);
    open.tasks.set(handler, this.begin(lane, row, handler, 1));
    return { bar: open.tasks.get(handler), begins: handler };
  }

  begin(lane, row, name, depth) {
    const bar = { lane, from: row, to: row, name, depth };
    this.all.push(bar);
    return bar;
  }

  extend(bar, row) {
    bar.to = row;
    return { bar };
  }
}
