// The diagram's lanes: who they are, and how far apart they stand.

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
