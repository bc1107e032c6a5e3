// The diagram's lanes: who they are, and how far apart they stand.

import { labelOf } from "./event_text.js";

const NARROW = 420; // pixels of a box in which all but the clients' arrows is closer together
const ORDER = ["client", "consumer", "layer", "database"];
const ENDS = new Set(["finished", "raised", "cancelled"]);
const EDGE = 42; // from the last lane to the border
const NAMES = 164; // the same where the names of handlers stand there, and in a narrow box
const NAMES_NARROW = 92;
const WIDE = 116;
// [at least, share of what is left over], in pixels at zoom 1
const APART = {
  same: [58, 0.5],
  folded: [40, 0],
  "client consumer": [WIDE, 2.4],
  "consumer layer": [118, 1],
  "layer database": [66, 0.4],
  other: [100, 1],
};

// Lanes from left to right, `{key, kind, name, server}`, and `of`: connection → its two lanes.
//
// A client that connects anew keeps its lane; its next consumer instance takes the lane of one that
// has ended.
export function lanesOf(entries) {
  const lanes = new Map();
  const of = new Map();
  const consumers = new Map(); // lane key → the connection that is at home there
  const ended = new Set();
  const lane = (...who) => {
    const made = laneFor(...who);
    if (!lanes.has(made.key)) lanes.set(made.key, { ...made, rank: lanes.size });
    return lanes.get(made.key);
  };
  for (const { of: connection, event } of entries) {
    const { client, server } = connection;
    if (!of.has(connection)) {
      let number = 0;
      let home = lane("consumer", client, server);
      while (consumers.has(home) && !ended.has(consumers.get(home))) {
        number += 1;
        home = lane("consumer", client, server, number);
      }
      consumers.set(home, connection);
      of.set(connection, { consumer: home });
    }
    if (!event) continue;
    const own = of.get(connection);
    if (event.lane === "client") own.client ??= lane("client", client, server);
    else if (event.lane !== "consumer") own[event.lane] ??= lane(event.lane);
    if (ENDS.has(event.message.type)) ended.add(connection);
  }
  return { lanes: inOrder([...lanes.values()]), of };
}

// Before anything has happened: the lanes of nearly every exchange.
export function lanesAtRest() {
  return { lanes: ["client", "consumer", "database"].map((kind) => laneFor(kind)), of: new Map() };
}

function laneFor(kind, name = "", server = "", number = 0) {
  return { key: JSON.stringify([kind, name, server, number]), kind, name, server };
}

function inOrder(lanes) {
  const place = ({ kind, rank }) => ORDER.indexOf(kind) * 1000 + rank;
  return lanes.sort((one, other) => place(one) - place(other));
}

// Gives each lane its `x`; returns the width that is needed.
export function spread(lanes, { width, left, zoom, folded }) {
  const close = (gap) => (width < NARROW && gap !== WIDE ? gap * 0.72 : gap) * zoom;
  const gaps = lanes.slice(1).map((lane, index) => apart(lanes[index], lane, folded));
  const edge = edgeOf(lanes.at(-1), width, folded);
  const least = gaps.reduce((sum, [gap]) => sum + close(gap), left + EDGE + edge);
  const shares = gaps.reduce((sum, [, share]) => sum + share, 0);
  const spare = Math.max(0, width - least) / (shares || 1);
  let x = left + EDGE;
  lanes.forEach((lane, index) => {
    if (index) x += close(gaps[index - 1][0]) + gaps[index - 1][1] * spare;
    lane.x = Math.round(x) + 0.5;
  });
  return Math.max(width, Math.ceil(x + edge));
}

function edgeOf(last, width, folded) {
  if (last?.kind !== "consumer" || folded.has(last.key)) return EDGE;
  return width < NARROW ? NAMES_NARROW : NAMES;
}

function apart(one, other, folded) {
  if (folded.has(one.key) || folded.has(other.key)) return APART.folded;
  if (one.kind === other.kind) return APART.same;
  return APART[`${one.kind} ${other.kind}`] ?? APART.other;
}

export function nameOf({ kind, name, server }) {
  return [kind, name, server].filter(Boolean).join(" ");
}

// Where everything of a transcript stands in the diagram, in rows; drawing is another matter.

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
  const [type, telling] = (entry.label ??= labelOf(entry.event)); // a layout is made anew each frame
  const said = { type, telling };
  if (direction === "mark" || lane === "consumer") {
    const isEnd = ["finished", "raised", "cancelled"].includes(message.type);
    return { kind: "mark", ...said, on: own.consumer, isEnd };
  }
  const [from, to] = direction === "in" ? [own[lane], own.consumer] : [own.consumer, own[lane]];
  return { kind: message.type === "scope" ? "start" : "arrow", ...said, from, to };
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
