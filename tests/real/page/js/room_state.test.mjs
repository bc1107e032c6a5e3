import assert from "node:assert/strict";
import test from "node:test";

import {
  RoomState, filtered, frequentDiagnoses, moves, ordered,
} from "../../../../lessons/workshop/room/static/room/room_state.js";

const NOW = Date.parse("2026-03-02T10:00:00Z") / 1000;
const ago = (seconds) => new Date((NOW - seconds) * 1000).toISOString();

function row(id, changes = {}) {
  const known = { id, name: `name ${id}`, number: id, version: 1, standings: {}, done: [], lesson: "stop" };
  const state = { state: "red", diagnosis: "no-accept", headline: "No accept", hints: 0, hand: null };
  return { ...known, ...state, progress_at: ago(60), joined: ago(600), connected: true, ...changes };
}

function stateOf(...rows) {
  const state = new RoomState();
  state.apply({ type: "snapshot", class: { name: "Monday" }, students: rows, lessons: [], poll: null });
  return state;
}

const rowsOf = (...rows) => [...stateOf(...rows).rows.values()];
const ids = (rows) => rows.map(({ id }) => id);
const nameOf = ({ name }) => name;

test("a snapshot replaces all rows, and names those that changed or left", () => {
  const state = stateOf(row(1), row(2));
  const again = { type: "snapshot", class: {}, students: [row(2), row(3)], lessons: [], poll: null };
  assert.deepEqual(state.apply(again), [2, 3, 1]);
  assert.deepEqual([...state.rows.keys()], [2, 3]);
});

test("rows replace known rows and add new ones; students who are deleted leave", () => {
  const state = stateOf(row(1));
  state.apply({ type: "rows", students: [row(1, { state: "green" }), row(2)] });
  assert.deepEqual([...state.rows.values()].map(({ state: it }) => it), ["green", "red"]);
  assert.deepEqual(state.apply({ type: "gone", students: [1, 9] }), [1]);
  assert.deepEqual([...state.rows.keys()], [2]);
});

test("the order: raised hands by time, red by the longest wait, others, green, not connected", () => {
  const rows = rowsOf(
    row(1, { connected: false }), row(2, { state: "green" }), row(3, { state: "new", lesson: null }),
    row(4, { progress_at: ago(10) }), row(5, { progress_at: ago(900) }),
    row(6, { hand: ago(5) }), row(7, { hand: ago(50), state: "green" }),
  );
  assert.deepEqual(ids(ordered(rows, "stuck")), [7, 6, 5, 4, 3, 2, 1]);
  assert.deepEqual(ids(ordered(rows, "number")), [1, 2, 3, 4, 5, 6, 7]);
});

test("filters combine, and the text is looked for in what is shown", () => {
  const rows = rowsOf(
    row(1), row(2, { lesson: "group" }), row(3, { state: "green" }), row(4, { diagnosis: "stuck" }),
  );
  const shown = (chosen) => ids(filtered(rows, chosen, NOW, nameOf));
  assert.deepEqual(shown({}), [1, 2, 3, 4]);
  assert.deepEqual(shown({ state: "red", lesson: "stop" }), [1, 4]);
  assert.deepEqual(shown({ diagnosis: "no-accept" }), [1, 2]);
  assert.deepEqual(shown({ text: "NAME 4" }), [4]);
  assert.deepEqual(shown({ text: "name group" }), [2]);
});

test("a hidden name is not found by its text", () => {
  const rows = rowsOf(row(1, { name: "Ann" }));
  assert.deepEqual(filtered(rows, { text: "ann" }, NOW, ({ number }) => `Student ${number}`), []);
});

test("the most frequent diagnoses of red exercises come first", () => {
  const other = { diagnosis: "stuck", headline: "It does not end" };
  const rows = rowsOf(row(1), row(2, other), row(3, other), row(4, { ...other, state: "green" }));
  assert.deepEqual(frequentDiagnoses(rows), [
    { id: "stuck", title: "It does not end", students: 2 },
    { id: "no-accept", title: "No accept", students: 1 },
  ]);
});

// Makes the moves, as insertBefore does.
function moved(children, wanted) {
  const found = [...children];
  const made = moves(children, wanted);
  for (const [child, before] of made) {
    if (found.includes(child)) found.splice(found.indexOf(child), 1);
    found.splice(before === null ? found.length : found.indexOf(before), 0, child);
  }
  return { found, count: made.length };
}

test("any order becomes any other order, also with new tiles", () => {
  let seed = 1;
  const random = (below) => (seed = (seed * 16807) % 2147483647) % below;
  for (let round = 0; round < 500; round += 1) {
    const children = Array.from({ length: random(8) }, (_, index) => index);
    const wanted = [...children, ...(random(2) ? [100, 101] : [])];
    for (let at = wanted.length - 1; at > 0; at -= 1) {
      const other = random(at + 1);
      [wanted[at], wanted[other]] = [wanted[other], wanted[at]];
    }
    assert.deepEqual(moved(children, wanted).found, wanted);
  }
});
