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
  same: [76, 0.5],
  folded: [40, 0],
  "client consumer": [CLIENT_TO_CONSUMER, 2.4],
  "consumer layer": [118, 1],
  "layer database": [76, 0.4],
  other: [100, 1],
};
const KEPT = new Set([CLIENT_TO_CONSUMER, DISTANCES.same[0]]); // as wide on a narrow page
const LONG_PAUSE = 1; // seconds without an event, from which on the diagram has a line
const ROWS_PER_SECOND = 2; // the space of a wait, if rows are to scale
const MAX_WAIT = 4; // seconds; a longer wait has the space of this one, and a mark

// `{lanes, of}`: the lanes from left to right, `{key, kind, name, server}`, and for each connection
// its own lanes by kind.
//
// A client that connects again keeps its lane. Its new consumer takes the lane of an ended one.
export function lanesOf(entries) {
  const lanes = new Map();
  const of = new Map();
  const occupants = new Map(); // consumer lane → the connection that uses it
  const ended = new Set();
  const lane = (...parts) => {
    const made = makeLane(...parts);
    if (!lanes.has(made.key)) lanes.set(made.key, { ...made, rank: lanes.size });
    return lanes.get(made.key);
  };
  for (const { of: connection, event } of entries) {
    const { client, server } = connection;
    if (!of.has(connection)) {
      let number = 0;
      let consumer = lane("consumer", client, server);
      while (occupants.has(consumer) && !ended.has(occupants.get(consumer))) {
        number += 1;
        consumer = lane("consumer", client, server, number);
      }
      occupants.set(consumer, connection);
      of.set(connection, { consumer });
    }
    if (!event) continue;
    const own = of.get(connection);
    if (event.lane === "client") own.client ??= lane("client", client, server);
    else if (event.lane !== "consumer") own[event.lane] ??= lane(event.lane);
    if (LAST_EVENTS.has(event.message.type)) ended.add(connection);
  }
  return { lanes: inOrder([...lanes.values()]), of };
}

// The lanes of an empty transcript: those that nearly every conversation has.
export function defaultLanes() {
  return { lanes: ["client", "consumer", "database"].map((kind) => makeLane(kind)), of: new Map() };
}

function makeLane(kind, name = "", server = "", number = 0) {
  return { key: JSON.stringify([kind, name, server, number]), kind, name, server };
}

function inOrder(lanes) {
  const place = ({ kind, rank }) => LANE_ORDER.indexOf(kind) * 1000 + rank;
  return lanes.sort((one, other) => place(one) - place(other));
}

export function nameOf({ kind, name, server }) {
  return [kind, name, server].filter(Boolean).join(" ");
}

// Gives each lane its `x`; returns the width of all of them.
export function placeLanes(lanes, { width, left, zoom, folded }) {
  const isNarrow = width < NARROW_BOX;
  const scaled = (gap) => (isNarrow && !KEPT.has(gap) ? gap * 0.72 : gap) * zoom;
  const gaps = lanes.slice(1).map((lane, index) => distance(lanes[index], lane, folded));
  const edge = edgeAfter(lanes.at(-1), isNarrow, folded) * zoom;
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

function edgeAfter(last, isNarrow, folded) {
  if (last?.kind !== "consumer" || folded.has(last.key)) return EDGE;
  return isNarrow ? EDGE_WITH_NAMES_NARROW : EDGE_WITH_NAMES;
}

function distance(one, other, folded) {
  if (folded.has(one.key) || folded.has(other.key)) return DISTANCES.folded;
  if (one.kind === other.kind) return DISTANCES.same;
  return DISTANCES[`${one.kind} ${other.kind}`] ?? DISTANCES.other;
}

// `{lanes, rows, bars, lifelines, height}` of the first `position` entries. Heights are in rows:
//   folded     the keys of lanes whose events are left out
//   matches    leaves out the events for which it returns false
//   differs    the index of the first difference in a comparison, and `later` its greater index in
//              both recordings: blank rows bring it to the same height
//   least      the least height
//   isToScale  a wait takes space
//   begun      the time of the row at 0 ms; by default that of the first entry
export function layout(entries, options) {
  const { position, folded, differs, later = differs, least = 0, matches, isToScale = false } = options;
  const { begun = entries[0]?.time } = options;
  const { lanes, of } = entries.length ? lanesOf(entries) : defaultLanes();
  const rows = [];
  const lifelines = new Map();
  const bars = new Bars();
  for (const [number, entry] of entries.slice(0, position).entries()) {
    const own = of.get(entry.of);
    const other = own[entry.event?.lane];
    if (folded.has(own.consumer.key) || (other && folded.has(other.key))) continue;
    if (matches && !matches(entry)) continue;
    const index = rows.length;
    const row = entry.event ? rowOf(entry, own) : { kind: "gap", text: gapText(entry) };
    const lifeline = lifelines.get(entry.of) ?? { of: entry.of, own, from: index };
    const ended = lifeline.ended || row.isEnd;
    lifelines.set(entry.of, Object.assign(lifeline, { to: index, ended }));
    const since = index ? entry.time - rows[index - 1].entry.time : 0;
    const isDifferent = number === differs;
    const times = { at: entry.time - begun, since, isAfterPause: since > LONG_PAUSE };
    rows.push({ ...row, entry, index, isDifferent, ...times });
    if (entry.event) Object.assign(rows[index], bars.add(entry, own.consumer, index));
  }
  if (differs === entries.length && position === differs) {
    const [index, at] = [rows.length, rows.at(-1)?.at ?? 0];
    rows.push({ kind: "gap", text: "nothing more", entry: {}, index, isDifferent: true, at, since: 0 });
  }
  const height = Math.max(least, placeRows(rows, { blank: later - differs, isToScale }));
  const spans = [...bars.all, ...lifelines.values()];
  for (const span of spans) Object.assign(span, { top: rows[span.from].top, bottom: rows[span.to].top });
  return { lanes, rows, bars: bars.all, lifelines: [...lifelines.values()], height };
}

// Gives each row its `top`, and its `wait`: the rows above it that stand for time. Returns the height
// of all. `isCut` marks a wait that is longer than its space.
export function placeRows(rows, { blank = 0, isToScale = false }) {
  let top = 0;
  for (const row of rows) {
    row.wait = isToScale ? Math.min(row.since, MAX_WAIT) * ROWS_PER_SECOND : 0;
    row.isCut = isToScale && row.since > MAX_WAIT;
    row.top = top + row.wait + (row.isDifferent ? blank : 0);
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
