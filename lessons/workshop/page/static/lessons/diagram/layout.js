// Computes the lanes, rows, bars and lifelines of a diagram. Pure functions; drawing.js draws.

import { labelOf } from "./event_text.js";

const LANE_ORDER = ["client", "consumer", "layer", "database"];
const LAST_EVENTS = new Set(["finished", "raised", "cancelled"]);
// From a lane to the next one, and from the last one to the border: the least distance, the usual one,
// both in pixels at zoom 1, and the share of the width that remains. The names of handlers are right of
// a consumer's lane.
const DISTANCES = {
  same: [69, 86, 0.5],
  "client consumer": [84, 116, 2.4],
  "consumer layer": [84, 118, 1],
  "layer database": [60, 76, 0.4],
  other: [72, 100, 1],
  "consumer border": [96, 172, 0],
  border: [42, 42, 0],
};
const LEAST_TIME = 0.0005; // seconds: events that are closer happen at the same time
const LONG_PAUSE = 1; // seconds without an event, from which on the diagram has a line

// `{lanes, of}`: the lanes from left to right, `{key, kind, name, server}`, and for each connection
// its own lanes by kind. `kinds` are lanes that are drawn even if no event uses them.
//
// A client that connects again keeps its lane. Its new consumer takes the lane of an ended one. The
// lanes are in the order of their clients' numbers. One client alone has no number.
export function lanesOf(entries, kinds = []) {
  const lanes = new Map();
  const of = new Map();
  const occupants = new Map(); // consumer lane → the connection that uses it
  const ended = new Set();
  const isAlone = new Set(entries.filter(({ event }) => event).map((entry) => entry.of.client)).size < 2;
  const lane = (kind, { client = "", server = "" } = {}, number = 0) => {
    const name = isAlone ? "" : client;
    const made = { key: JSON.stringify([kind, name, server, number]), kind, name, server, number };
    if (!lanes.has(made.key)) lanes.set(made.key, made);
    return lanes.get(made.key);
  };
  for (const { of: connection, event } of entries) {
    if (!event) continue;
    if (!of.has(connection)) {
      const isFree = (one) => !occupants.has(one) || ended.has(occupants.get(one));
      let number = 0;
      while (!isFree(lane("consumer", connection, number))) number += 1;
      const consumer = lane("consumer", connection, number);
      occupants.set(consumer, connection);
      of.set(connection, { consumer });
    }
    const own = of.get(connection);
    if (event.lane === "client") own.client ??= lane("client", connection);
    else if (event.lane !== "consumer") own[event.lane] ??= lane(event.lane);
    if (LAST_EVENTS.has(event.message.type)) ended.add(connection);
  }
  const known = new Set([...lanes.values()].map(({ kind }) => kind));
  for (const kind of kinds) if (!known.has(kind)) lane(kind);
  return { lanes: inOrder([...lanes.values()]), of };
}

function inOrder(lanes) {
  const place = ({ kind }) => LANE_ORDER.indexOf(kind);
  const client = ({ name }) => Number(name) || 0;
  return lanes.sort((one, other) => (
    place(one) - place(other) || client(one) - client(other) || one.number - other.number));
}

export function nameOf({ kind, name, server }) {
  return [kind, name, server].filter(Boolean).join(" ");
}

// Gives each lane its `x`; returns the width of all of them. Lanes that do not fit come closer together.
export function placeLanes(lanes, { width, left, zoom }) {
  const gaps = lanes.map((lane, index) => distance(lane, lanes[index + 1]));
  const [first] = DISTANCES.border;
  const [least, usual, shares] = [0, 1, 2].map((part) => gaps.reduce((sum, gap) => sum + gap[part], 0));
  const room = (width - left) / zoom - first;
  const ease = Math.min(Math.max((room - least) / (usual - least || 1), 0), 1);
  const spare = Math.max(0, room - usual) / (shares || 1);
  let x = left + first * zoom;
  for (const [index, lane] of lanes.entries()) {
    lane.x = Math.round(x) + 0.5;
    const [from, to, share] = gaps[index];
    x += (from + (to - from) * ease + share * spare) * zoom;
  }
  return Math.max(width, Math.floor(x));
}

function distance({ kind }, next) {
  if (kind === next?.kind) return DISTANCES.same;
  return DISTANCES[`${kind} ${next?.kind ?? "border"}`] ?? DISTANCES[next ? "other" : "border"];
}

// `{lanes, rows, bars, lifelines, height, isTimed}` of the first `position` entries. Heights are in rows:
//   kinds      lanes that are drawn even without events
//   matches    leaves out the events for which it returns false
//   differs    the index of the first difference in a comparison, and `later` its greater index in
//              both recordings: blank rows bring it to the same height
//   least      the least height
//   begun      the time of the row at 0 ms; by default that of the first entry
// A row has no time (`at` is null) where all events have the same. `isTimed` is true before the second.
export function layout(entries, options) {
  const { position, kinds, differs, later = differs, least = 0, matches = () => true } = options;
  const { begun = entries[0]?.time } = options;
  const shown = entries.filter(matches);
  const { lanes, of } = lanesOf(shown, kinds);
  const isTimed = shown.length < 2 || shown.some(({ time }) => time - shown[0].time > LEAST_TIME);
  const rows = [];
  const lifelines = new Map();
  const bars = new Bars();
  for (const [number, entry] of entries.slice(0, position).entries()) {
    if (!matches(entry)) continue;
    const index = rows.length;
    const since = index ? entry.time - rows[index - 1].entry.time : 0;
    const times = { at: isTimed ? entry.time - begun : null, isAfterPause: since > LONG_PAUSE };
    const common = { entry, index, isDifferent: number === differs, ...times };
    if (!entry.event) {
      rows.push({ kind: entry.text ? "outside" : "gap", text: entry.text ?? gapText(entry), ...common });
      continue;
    }
    const own = of.get(entry.of);
    const row = rowOf(entry, own);
    const lifeline = lifelines.get(entry.of) ?? { of: entry.of, own, from: index };
    const ended = lifeline.ended || row.isEnd;
    lifelines.set(entry.of, Object.assign(lifeline, { to: index, ended }));
    rows.push({ ...row, ...common, ...bars.add(entry, own.consumer, index) });
  }
  if (differs === entries.length && position === differs) {
    const [index, at] = [rows.length, rows.at(-1)?.at ?? null];
    rows.push({ kind: "gap", text: "nothing more", entry: {}, index, isDifferent: true, at });
  }
  const height = Math.max(least, placeRows(rows, later - differs));
  const spans = [...bars.all, ...lifelines.values()];
  for (const span of spans) Object.assign(span, { top: rows[span.from].top, bottom: rows[span.to].top });
  return { lanes, rows, bars: bars.all, lifelines: [...lifelines.values()], height, isTimed };
}

// Gives each row its `top`: `blank` rows stand above the one that differs. Returns the height of all.
export function placeRows(rows, blank = 0) {
  let top = 0;
  for (const row of rows) {
    row.top = top + (row.isDifferent ? blank : 0);
    top = row.top + 1;
  }
  return top;
}

function rowOf(entry, own) {
  const { lane, direction, message } = entry.event;
  const [type, details] = (entry.label ??= labelOf(entry.event)); // each frame computes a layout
  if (direction === "mark" || lane === "consumer") {
    return { kind: "mark", type, details, on: own.consumer, isEnd: LAST_EVENTS.has(message.type) };
  }
  const [from, to] = direction === "in" ? [own[lane], own.consumer] : [own.consumer, own[lane]];
  return { kind: message.type === "scope" ? "start" : "arrow", type, details, from, to };
}

export function gapText({ count }) {
  return count === 1 ? "1 event not shown" : `${count} events not shown`;
}

// The handlers that ran, on the consumers' lanes: `{lane, from, to, name, depth}`.
//
// A bar starts at the event that its handler received and ends at the last event that the handler
// caused. A task of the handler may continue during later handlers, so it gets a bar beside theirs.
class Bars {
  all = [];
  open = new Map(); // connection → {handler, tasks: name → bar}

  add({ of, event: { handler, direction, message } }, lane, row) {
    if (!this.open.has(of)) this.open.set(of, { handler: null, tasks: new Map() });
    const open = this.open.get(of);
    if (direction === "in" && message.type !== "scope") {
      open.handler = handler && this.start(lane, row, handler, 0);
      return { bar: open.handler, started: handler };
    }
    if (!handler) return {};
    const bar = open.handler?.name === handler ? open.handler : open.tasks.get(handler);
    if (bar) bar.to = row;
    else open.tasks.set(handler, this.start(lane, row, handler, 1));
    return bar ? { bar } : { bar: open.tasks.get(handler), started: handler };
  }

  start(lane, row, name, depth) {
    const bar = { lane, from: row, to: row, name, depth };
    this.all.push(bar);
    return bar;
  }
}
