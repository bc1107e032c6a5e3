// What the board knows about a class, and what follows from it. This module touches no document.
//
// A row is what the server sends about a student, as lessons/workshop/member/protocol.py describes it, with two
// times more: `progressAt` and `handAt`, in seconds of the server's clock, or null.

export const STUCK_AFTER = 5 * 60; // seconds without progress on a red exercise

export class RoomState {
  rows = new Map(); // id → row
  room = {}; // what the server says about the class itself
  lessons = []; // [{slug, number, title}]
  poll = null;

  // Takes a frame of the board's socket. Returns the ids of the rows that it changed.
  apply(frame) {
    if (frame.type === "snapshot") return this.replace(frame);
    if (frame.type === "rows") return frame.students.map((row) => this.put(row));
    if (frame.type === "gone") return frame.students.filter((id) => this.rows.delete(id));
    if (frame.type === "class") Object.assign(this, { room: frame.class, poll: frame.poll });
    return [];
  }

  replace(snapshot) {
    Object.assign(this, { room: snapshot.class, lessons: snapshot.lessons, poll: snapshot.poll });
    const left = new Set(this.rows.keys());
    const changed = snapshot.students.map((row) => this.put(row));
    for (const id of changed) left.delete(id);
    for (const id of left) this.rows.delete(id);
    return [...changed, ...left];
  }

  put(row) {
    const progressAt = secondsOf(row.progress_at ?? row.joined);
    this.rows.set(row.id, { ...row, progressAt, handAt: secondsOf(row.hand) });
    return row.id;
  }
}

const secondsOf = (time) => (time ? Date.parse(time) / 1000 : null);

export const isStuck = (row, now) => {
  return row.connected && row.state === "red" && secondsWithoutProgress(row, now) >= STUCK_AFTER;
};

export function secondsWithoutProgress({ progressAt }, now) {
  return progressAt === null ? 0 : Math.max(0, now - progressAt);
}

// The filters of the board, in their order. Each says whether it shows a row.
export const FILTERS = {
  all: () => true,
  stuck: isStuck,
  hands: (row) => row.handAt !== null,
  red: (row) => row.state === "red",
  green: (row) => row.state === "green",
  away: (row) => !row.connected,
};

// How many rows each filter shows.
export function counts(rows, now) {
  const found = Object.fromEntries(Object.keys(FILTERS).map((name) => [name, 0]));
  for (const row of rows) {
    for (const [name, shows] of Object.entries(FILTERS)) if (shows(row, now)) found[name] += 1;
  }
  return found;
}

// The rows that all chosen filters show. `text` is looked for in what the board shows of a student.
export function filtered(rows, { state = "all", lesson = "", diagnosis = "", text = "" }, now, nameOf) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (!FILTERS[state](row, now)) return false;
    if (lesson && row.lesson !== lesson) return false;
    if (diagnosis && !(row.state === "red" && row.diagnosis === diagnosis)) return false;
    const shown = `${nameOf(row)} ${row.lesson ?? ""} ${row.headline ?? ""}`.toLowerCase();
    return words.every((word) => shown.includes(word));
  });
}

// The orders of the board. Each compares two rows.
export const ORDERS = {
  stuck: (one, other) => groupOf(one) - groupOf(other) || waitOf(one) - waitOf(other) || byNumber(one, other),
  number: (one, other) => byNumber(one, other),
  name: (one, other) => one.name.localeCompare(other.name) || byNumber(one, other),
  progress: (one, other) => placeOf(other) - placeOf(one) || byNumber(one, other),
};

// Raised hands first, then red exercises, then the others, then green ones, then who is not connected.
function groupOf(row) {
  if (row.handAt !== null) return 0;
  if (!row.connected) return 4;
  return { red: 1, green: 3 }[row.state] ?? 2;
}

// The first hand that was raised comes first, then the longest time without progress.
const waitOf = (row) => row.handAt ?? row.progressAt ?? Number.MAX_SAFE_INTEGER;
const byNumber = (one, other) => one.number - other.number;
const placeOf = ({ done }) => done.length;

export function ordered(rows, order) {
  return [...rows].sort(ORDERS[order]);
}

// The diagnoses of the red exercises, the most frequent first: [{id, title, students}].
export function frequentDiagnoses(rows) {
  const found = new Map();
  for (const { state, diagnosis: id, headline } of rows) {
    if (state !== "red" || !id) continue;
    const one = found.get(id) ?? { id, title: headline || id, students: 0 };
    one.students += 1;
    found.set(id, one);
  }
  return [...found.values()].sort((a, b) => b.students - a.students || a.title.localeCompare(b.title));
}

// How long ago, in words that fit on a tile.
export function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return "0 min";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${String(minutes % 60).padStart(2, "0")}` : `${Math.floor(hours / 24)} d`;
}

// Minutes and seconds of a timer.
export function clock(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

// Whether something is held: `held` lists slugs, or "*" for all lessons.
export function isHeld(held, slug) {
  return Boolean(held?.includes("*")) || Boolean(held?.includes(slug));
}

// The moves that turn the children of a box into `wanted`, with few of them: [child, the one after it].
// A child that only one step separates from its place moves alone, in both directions.
export function moves(children, wanted) {
  const rest = [...children];
  const found = [];
  let place = 0;
  wanted.forEach((child, index) => {
    if (rest[place] === child) {
      place += 1;
      return;
    }
    if (rest[place + 1] === child && rest[place] !== wanted[index + 1]) {
      rest.splice(place, 1); // it moves later, to a place further back
      place += 1;
      return;
    }
    const from = rest.indexOf(child, place);
    if (from >= 0) rest.splice(from, 1);
    found.push([child, rest[place] ?? null]);
    rest.splice(place, 0, child);
    place += 1;
  });
  return found;
}
