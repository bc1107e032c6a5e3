// The board of a class: a function of the state that the socket sends, and of what the instructor has
// chosen to see.

import { byId, element, queueFrame, setText } from "../lessons/common/dom.js";
import { store, stored } from "../lessons/common/storage.js";
import { followClass } from "./class_socket.js";
import { Grid } from "./grid.js";
import { onNames } from "./names.js";
import { Poll } from "./poll.js";
import { FILTERS, frequentMistakes, ordered, rowsOf } from "./room_state.js";
import { Tiles } from "./tiles.js";
import { Tools } from "./tools.js";

const TICK = 5000; // milliseconds: a student may be stuck by now, and the order another one
const MANY_MISTAKES = 8;

const page = byId("main").dataset;
const lessons = JSON.parse(byId("lessons").textContent);
const numberOf = new Map(lessons.map(({ slug, number }) => [slug, number]));
const clockOffset = Number(page.now) - Date.now() / 1000;
const now = () => Date.now() / 1000 + clockOffset; // the server's clock

const room = { state: null, takenAt: 0, lessons }; // what the tools need
const chosen = { filter: "all", lesson: "", mistake: "" };
let view = stored("room-view") === "grid" ? "grid" : "tiles";

const board = {
  page: ({ id }, lesson) => page.student.replace("/0/none/", `/${id}/${lesson ?? "none"}/`),
  titleOf: (slug) => `${numberOf.get(slug) ?? "?"} ${slug}`,
  lowerHand: (row) => tools.act({ type: "hand", student: row.id }, "The hand is down."),
  message: (row) => tools.openMessage(row),
};
const tiles = new Tiles(byId("tiles"), board);
const grid = new Grid(byId("grid"), board);
const tools = new Tools(room, page, board.titleOf);
const poll = new Poll((...frame) => tools.act(...frame), page.answer);

followClass(page.socket, (state) => {
  if (!room.state) byId("join").open = !state.students.length;
  Object.assign(room, { state, takenAt: performance.now() });
  queueFrame(tools, () => tools.show());
  queueFrame(poll, () => poll.show(state.poll));
  queueFrame(board, draw);
});

// Today's lessons, or all. A lesson that the plan leaves out is optional.
function columns() {
  const { today } = room.state;
  if (today) return lessons.filter(({ slug }) => today.lessons.includes(slug));
  return lessons.map((one) => ({ ...one, isOptional: !one.isCore }));
}

function draw() {
  if (!room.state) return;
  const all = ordered(rowsOf(room.state.students, chosen.lesson));
  const isMistake = ({ state, diagnosis }) => state === "red" && diagnosis === chosen.mistake;
  const rows = all.filter((row) => FILTERS[chosen.filter](row, now()) && (!chosen.mistake || isMistake(row)));
  byId("tiles").hidden = view !== "tiles";
  byId("grid-box").hidden = view !== "grid";
  if (view === "tiles") tiles.draw(rows, now());
  else {
    grid.setLessons(columns());
    grid.draw(rows);
  }
  for (const button of document.querySelectorAll("[data-filter]")) {
    setText(button.querySelector("b"), String(all.filter((row) => FILTERS[button.dataset.filter](row, now())).length));
    button.setAttribute("aria-pressed", button.dataset.filter === chosen.filter);
  }
  for (const button of document.querySelectorAll("[data-view]")) {
    button.setAttribute("aria-pressed", button.dataset.view === view);
  }
  const some = rows.length === all.length ? "" : `${rows.length} of ${all.length} students`;
  setText(byId("shown"), all.length ? some : "No student has joined yet.");
  showMistakes(all);
}

function showMistakes(all) {
  const found = frequentMistakes(all).slice(0, MANY_MISTAKES);
  byId("no-mistakes").hidden = found.length > 0;
  const list = byId("mistakes");
  const key = JSON.stringify([found, chosen.mistake]);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  const focused = list.contains(document.activeElement) && document.activeElement.dataset.id;
  list.replaceChildren(...found.map(mistakeItem));
  if (focused) list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
}

function mistakeItem({ id, title, students }) {
  const item = document.createElement("li");
  const button = item.appendChild(element("button", ""));
  button.type = "button";
  button.dataset.id = id;
  button.setAttribute("aria-pressed", id === chosen.mistake);
  button.append(element("b", String(students)), " ", element("span", title));
  button.onclick = () => choose({ mistake: id === chosen.mistake ? "" : id });
  return item;
}

function choose(choice) {
  Object.assign(chosen, choice);
  queueFrame(board, draw);
}

for (const { slug, number } of lessons) byId("by-lesson").append(new Option(`${number} ${slug}`, slug));
byId("by-lesson").onchange = ({ target }) => choose({ lesson: target.value, mistake: "" });
for (const button of document.querySelectorAll("[data-filter]")) {
  button.onclick = () => choose({ filter: button.dataset.filter });
}
for (const button of document.querySelectorAll("[data-view]")) {
  button.onclick = () => {
    view = button.dataset.view;
    store("room-view", view);
    draw();
  };
}
byId("mistakes-box").open = !matchMedia("(max-width: 64rem)").matches;
onNames(() => queueFrame(board, draw));
setInterval(() => queueFrame(board, draw), TICK);
