// The answers to a poll, counted. take_from_page() in lessons/workshop/page/live/room_status.py makes them.

const MAX_ANSWERS = 6; // of an order; all others share one bar
const FIRST = "A".charCodeAt(0);

// The votes of a round: answer → count. A Map, because a student may vote for "constructor".
export const votesOf = (counts) => new Map(Object.entries(counts));

export const sum = (values) => values.reduce((one, other) => one + other, 0);

// How many students have ticked each card of each client.
export function ticks(votes) {
  const found = new Map();
  for (const [answer, count] of votes) {
    for (const tick of new Set(answer.split(" "))) found.set(tick, (found.get(tick) ?? 0) + count);
  }
  return found;
}

// The orders that were given in any round, the most frequent of the last round first, and the rest.
export function frequentOrders(rounds) {
  const last = rounds.at(-1);
  const all = [...new Set(rounds.flatMap((votes) => [...votes.keys()]))];
  all.sort((one, other) => (last.get(other) ?? 0) - (last.get(one) ?? 0) || (one < other ? -1 : 1));
  const rest = all.slice(MAX_ANSWERS);
  return { shown: all.slice(0, MAX_ANSWERS), rest: rounds.map((votes) => sum(rest.map((one) => votes.get(one) ?? 0))) };
}

// An order with a letter for each card: "B A C, never D".
export function lettersOf(answer, letters) {
  const [given, never = ""] = answer.split("|").map((part) => part.trim());
  const name = (part) => part.split(" ").filter(Boolean).map((card) => letterOf(Number(card), letters)).join(" ");
  return [name(given), never && `never ${name(never)}`].filter(Boolean).join(", ") || "nothing";
}

export function letterOf(card, letters) {
  const place = letters.indexOf(card);
  return place < 0 ? "?" : String.fromCharCode(FIRST + place);
}
