import assert from "node:assert/strict";
import test from "node:test";

import {
  currentLesson, frequentMistakes, isStuck, ordered, partsNow, rowsOf,
} from "../../../../lessons/workshop/room/static/room/room_state.js";

const NOW = 10_000;
const RED = { state: "red", diagnosis: "no-accept", title: "No accept", hints: 0, at: NOW - 60 };

// A student who is red in `stop`, the lesson that is open.
function student(id, changes = {}, standing = {}) {
  const known = { id, number: id, lesson: "stop", joined: NOW - 600, hand: null, handAt: null, connected: true };
  return { ...known, standings: { stop: { ...RED, ...standing } }, ...changes };
}

const ids = (rows) => rows.map(({ id }) => id);
const states = (rows) => rows.map(({ state }) => state);
const at = (time) => new Date(`2026-03-02T${time}:00`);

test("the order: raised hands by time, red by the longest wait, others, green, not connected", () => {
  const rows = rowsOf([
    student(1, { connected: false }), student(2, {}, { state: "green" }), student(3, { lesson: null, standings: {} }),
    student(4, {}, { at: NOW - 10 }), student(5, {}, { at: NOW - 900 }),
    student(6, { hand: "", handAt: NOW - 5 }), student(7, { hand: "Why?", handAt: NOW - 50 }, { state: "green" }),
  ]);
  assert.deepEqual(ids(ordered(rows)), [7, 6, 5, 4, 3, 2, 1]);
});

test("a row shows the chosen lesson, also of a student who is in a later one or has not begun it", () => {
  const later = student(1, { lesson: "group" }, { state: "green" });
  const elsewhere = student(2, { lesson: "group", standings: {} });
  assert.deepEqual(states(rowsOf([later, elsewhere], "stop")), ["green", "new"]);
  assert.deepEqual(states(rowsOf([later, elsewhere])), ["reading", "reading"]);
});

test("a student who has a lesson open reads it until there is a verdict", () => {
  const some = [student(1, {}, { state: "new" }), student(2, {}, { state: "unchanged" }), student(3)];
  assert.deepEqual(states(rowsOf(some)), ["reading", "unchanged", "red"]);
  assert.deepEqual(states(rowsOf([student(4, { lesson: null, standings: {} })])), ["new"]);
});

test("a student is stuck who is connected and red without progress for five minutes", () => {
  const stuck = (...one) => isStuck(rowsOf([student(...one)])[0], NOW);
  assert.ok(stuck(1, {}, { at: NOW - 300 }));
  assert.ok(!stuck(1, {}, { at: NOW - 299 }));
  assert.ok(!stuck(1, { connected: false }, { at: NOW - 900 }));
  assert.ok(!stuck(1, {}, { state: "green", at: NOW - 900 }));
});

test("the most frequent mistakes of red exercises come first", () => {
  const rows = rowsOf([
    student(1), student(2, {}, { diagnosis: "b", title: "B" }), student(3, {}, { diagnosis: "b", title: "B" }),
    student(4, {}, { state: "green", diagnosis: "b" }), student(5, {}, { diagnosis: "", title: "" }),
  ]);
  const found = frequentMistakes(rows).map(({ id, students }) => [id, students]);
  assert.deepEqual(found, [["b", 2], ["no-accept", 1]]);
});

const today = { parts: [{ slug: "accept", begins: "09:00" }, { slug: "stop", begins: "09:20" }] };

test("the plan names the lesson at this time and the next one", () => {
  const slugs = (time) => partsNow(today, at(time)).map((part) => part?.slug ?? null);
  assert.deepEqual(slugs("08:00"), ["accept", "stop"]);
  assert.deepEqual(slugs("09:19"), ["accept", "stop"]);
  assert.deepEqual(slugs("09:20"), ["stop", null]);
});

test("the class is in the lesson that the instructor shows, else in the plan's, else in the usual one", () => {
  const students = [student(1), student(2), student(3, { lesson: "group" }), student(4, { lesson: null })];
  const state = { look: null, today: null, students };
  assert.equal(currentLesson({ ...state, look: { lesson: "orm" }, today }, at("09:30")), "orm");
  assert.equal(currentLesson({ ...state, today }, at("09:30")), "stop");
  assert.equal(currentLesson(state), "stop");
  assert.equal(currentLesson({ ...state, students: [] }), null);
});
