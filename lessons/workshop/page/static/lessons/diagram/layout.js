// Computes the lanes, rows, bars and lifelines of a diagram. Pure functions; drawing.js draws.

import { labelOf } from "./event_text.js";

const NARROW_BOX = 420; // pixels; in a narrower box all lanes but the clients' are closer together
const LANE_ORDER = ["client", "consumer", "layer", "database"];
const LAST_EVENTS = new Set(["finished", "raised", "cancelled"]);
const EDGE = 42; // pixels from the last lane to the border
const EDGE_WITH_NAMES = 172; // the same where the names of handlers are right of the last lane
const EDGE_WITH_NAMES_NARROW = 96;
const CLIENT_TO_CONSUMER = 116;
// [least distance in pixels at zoom 1, share of the remaining width] between two lanes
const DISTANCES = {
  same: [86, 0.5],
  "client consumer": [CLIENT_TO_CONSUMER, 2.4],
  "consumer layer": [118, 1],
  "layer database": [76, 0.4],
  other: [100, 1],
};
const KEPT = new Set([CLIENT_TO_CONSUMER, DISTANCES.same[0]]); // as wide on a narrow page
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
    const made = makeLane(kind, isAlone ? "" : client, server, number);
    if (!lanes.has(made.key)) lanes.set(made.key, made);
    return lanes.get(made.key);
  };
  for (const { of: connection, event } of entries) {
    if (!event) continue;
    if (!of.has(connection)) {
      const isFree = (one) => !occupants.has(one) || ended.has(occupants.get(one)) || occupants.get(one).hasEnded;
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

function makeLane(kind, name, server, number) {
  return { key: JSON.stringify([kind, name, server, number]), kind, name, server, number };
}

function inOrder(lanes) {
  const place = ({ kind, name, number }) => [LANE_ORDER.indexOf(kind), Number(name) || 0, number];
  return lanes.sort((one, other) => {
    const [left, right] = [place(one), place(other)];
    const index = left.findIndex((value, at) => value !== right[at]);
    return index < 0 ? 0 : left[index] - right[index];
  });
}

export function nameOf({ kind, name, server }) {
  return [kind, name, server].filter(Boolean).join(" ");
}

// Gives each lane its `x`; returns the width of all of them.
export function placeLanes(lanes, { width, left, zoom }) {
  const isNarrow = width < NARROW_BOX;
  const scaled = (gap) => (isNarrow && !KEPT.has(gap) ? gap * 0.72 : gap) * zoom;
  const gaps = lanes.slice(1).map((lane, index) => distance(lanes[index], lane));
  const edge = edgeAfter(lanes.at(-1), isNarrow) * zoom;
  const least = gaps.reduce((sum, [gap]) => sum + scaled(gap), left + EDGE * zoom + edge);
  const shares = gaps.reduce((sum, [, share]) => sum + share, 0);
  const spare = Math.max(0, width - least) / (shares || 1);
  let x = left + EDGE * zoom;
  lanes.forEach((lane, index) => {
    if (index) x += scaled(gaps[index - 1][0]) + gaps[index - 1][1] * spare;
    lane.x = Math.round(x) + 0.5;
  });
  return Math.max(width, Math.ceil(x + edge));
}

function edgeAfter(last, isNarrow) {
  if (last?.kind !== "consumer") return EDGE;
  return isNarrow ? EDGE_WITH_NAMES_NARROW : EDGE_WITH_NAMES;
}

function distance(one, other) {
  if (one.kind === other.kind) return DISTANCES.same;
  return DISTANCES[`${one.kind} ${other.kind}`] ?? DISTANCES.other;
}

// `{lanes, rows, bars, lifelines, height}` of the first `position` entries. Heights are in rows:
//   kinds      lanes that are drawn even without events
//   matches    leaves out the events for which it returns false
//   differs    the index of the first difference in a comparison, and `later` its greater index in
//              both recordings: blank rows bring it to the same height
//   least      the least height
//   begun      the time of the row at 0 ms; by default that of the first entry
// A row has no time (`at` is null) where all events have the same.
export function layout(entries, options) {
  const { position, kinds, differs, later = differs, least = 0, matches = () => true } = options;
  const { begun = entries[0]?.time } = options;
  const shown = entries.filter(matches);
  const { lanes, of } = lanesOf(shown, kinds);
  const isTimed = shown.some(({ time }) => time - shown[0].time > LEAST_TIME);
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
    const ended = lifeline.ended || row.isEnd || entry.of.hasEnded;
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
  return { lanes, rows, bars: bars.all, lifelines: [...lifelines.values()], height };
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
