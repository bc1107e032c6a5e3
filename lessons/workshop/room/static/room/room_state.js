// What follows from the state of a class, which state.py on the server describes. This module touches
// no document.

export const STUCK_AFTER = 5 * 60; // seconds without progress on a red exercise
export const WORDS = {
  new: "not started",
  reading: "reading",
  unchanged: "not changed yet",
  red: "red",
  green: "green",
  read: "read",
};

// The students as the board shows them: in the chosen lesson, or each in the lesson of its own. `at`
// is the time of the last progress there.
export function rowsOf(students, lesson = "") {
  return students.map((row) => {
    const slug = lesson || row.lesson;
    const { state = "new", title = "", diagnosis = "", hints = 0, at = row.joined } = row.standings[slug] ?? {};
    const isReading = state === "new" && slug !== null && slug === row.lesson;
    return { ...row, slug, state: isReading ? "reading" : state, title, diagnosis, hints, at };
  });
}

export const isStuck = (row, now) => row.connected && row.state === "red" && now - row.at >= STUCK_AFTER;

// The filters of the board, in their order. Each says whether it shows a row.
export const FILTERS = {
  all: () => true,
  stuck: isStuck,
  hands: ({ hand }) => hand !== null,
  red: ({ state }) => state === "red",
  green: ({ state }) => state === "green",
  away: ({ connected }) => !connected,
};

// Raised hands first, then red exercises, then the others, then green ones, then who is not connected.
function groupOf({ hand, connected, state }) {
  if (hand !== null) return 0;
  if (!connected) return 4;
  return { red: 1, green: 3 }[state] ?? 2;
}

// Of each group, the first hand that was raised or the longest time without progress comes first.
const waitOf = ({ handAt, at }) => handAt ?? at;

export function ordered(rows) {
  return rows.toSorted((one, other) => groupOf(one) - groupOf(other) || waitOf(one) - waitOf(other) || one.number - other.number);
}

// The mistakes of the red exercises, the most frequent first: [{id, title, students}].
export function frequentMistakes(rows) {
  const found = new Map();
  for (const { state, diagnosis, title } of rows) {
    if (state !== "red" || !diagnosis) continue;
    const one = found.get(diagnosis) ?? { id: diagnosis, title: title || diagnosis, students: 0 };
    one.students += 1;
    found.set(diagnosis, one);
  }
  return [...found.values()].sort((a, b) => b.students - a.students || a.title.localeCompare(b.title));
}

// How long ago, in words that fit on a tile.
export function duration(seconds) {
  const minutes = Math.max(0, Math.floor(seconds / 60));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 24 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 24 / 60)} d`;
}

// Minutes and seconds of a timer.
export function clock(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

// The part of today's plan at this time, and the one after it: [{slug, begins, minutes}, …]. Before
// the start, it is the first part; after the end, the last one.
export function partsNow({ parts }, time = new Date()) {
  const now = `${String(time.getHours()).padStart(2, "0")}:${String(time.getMinutes()).padStart(2, "0")}`;
  const index = Math.max(0, parts.findLastIndex(({ begins }) => begins <= now));
  return [parts[index], parts[index + 1] ?? null];
}

// The lesson that the class is in: what the instructor points at, the plan, or what most have open.
export function currentLesson({ look, today, students }, time = new Date()) {
  if (look) return look.lesson;
  if (today) return partsNow(today, time)[0].slug;
  const found = new Map();
  for (const { lesson, connected } of students) if (lesson && connected) found.set(lesson, (found.get(lesson) ?? 0) + 1);
  return [...found].sort(([, one], [, other]) => other - one)[0]?.[0] ?? null;
}
