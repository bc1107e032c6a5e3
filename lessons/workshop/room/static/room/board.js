// The board of a class: it keeps the state that the socket sends, and draws what has changed.

import { byId, element, queueFrame, setText } from "../lessons/common/dom.js";
import { store, stored } from "../lessons/common/storage.js";
import { socketUrl } from "../lessons/common/server.js";
import { BoardSocket } from "./board_socket.js";
import { Grid } from "./grid.js";
import { onNames, shownName } from "./names.js";
import { Poll } from "./poll.js";
import { RoomState, counts, filtered, frequentDiagnoses, ordered } from "./room_state.js";
import { Tiles } from "./tiles.js";
import { Tools } from "./tools.js";

const TICK = 5000; // milliseconds between two looks at the clock
const MANY = 60; // students; then the tiles are smaller
const MANY_MISTAKES = 8;

const page = byId("main").dataset;
const titles = new Map(Object.entries(JSON.parse(byId("diagnoses").textContent))); // id → title
const clockOffset = Number(page.now) - Date.now() / 1000;
const now = () => Date.now() / 1000 + clockOffset; // the server's clock

const state = new RoomState();
const chosen = { state: "all", lesson: "", diagnosis: "", text: "" };
let order = "stuck";
let view = stored("room-view") === "grid" ? "grid" : "tiles";
let changed = new Set(); // ids of the rows whose tiles are old
let isFirst = true; // the first snapshot was not drawn yet

const board = {
  page: ({ id }, lesson) => page.student.replace("/0/none/", `/${id}/${lesson ?? "none"}/`),
  titleOf: (slug) => {
    const lesson = state.lessons.find((one) => one.slug === slug);
    return lesson ? `${lesson.number} ${slug}` : slug;
  },
  lowerHand: (row) => tools.act({ type: "hand", student: row.id, raised: false }, "The hand is down."),
  message: (row) => tools.openMessage(row),
};

const tiles = new Tiles(byId("tiles"), board);
const grid = new Grid(byId("grid"), board);
const socket = new BoardSocket(socketUrl(location.host, page.socket), take, showConnection);
const tools = new Tools({ socket, state, now, course: page.course, titleOf: board.titleOf });
const poll = new Poll({ act: (...frame) => tools.act(...frame), state, url: page.question, titleOf: board.titleOf });

function take(frame) {
  for (const id of state.apply(frame)) changed.add(id);
  if (frame.type === "snapshot") setLessons();
  for (const row of frame.students ?? []) if (titles.has(row.diagnosis)) named(row);
  if (frame.class) queueFrame(tools, () => tools.show());
  if ("poll" in frame) queueFrame(poll, () => poll.show());
  queueFrame(board, draw);
}

// The title of a diagnosis says it shorter than the message of a finding.
function named({ id, diagnosis }) {
  const row = state.rows.get(id);
  if (row) row.headline = titles.get(diagnosis);
}

function setLessons() {
  const select = byId("by-lesson");
  if (select.options.length > 1) return;
  for (const { slug, number } of state.lessons) select.append(new Option(`${number} ${slug}`, slug));
  grid.setLessons(state.lessons);
}

function draw() {
  if (!state.room.id) return; // no snapshot came yet
  performance.mark("board-draw");
  const all = [...state.rows.values()];
  const rows = ordered(filtered(all, chosen, now(), shownName), order);
  byId("tiles").classList.toggle("many", all.length > MANY);
  byId("tiles").hidden = view !== "tiles";
  byId("grid-box").hidden = view !== "grid";
  if (view === "tiles") tiles.draw(rows, changed, now());
  else if (grid.lessons) grid.draw(rows, changed);
  if (isFirst) byId("join").open = !all.length;
  changed = new Set();
  isFirst = false;
  showCounts(all, rows);
  showMistakes(all);
}

function showCounts(all, rows) {
  const found = counts(all, now());
  for (const button of document.querySelectorAll("[data-filter]")) {
    setText(button.querySelector("b"), String(found[button.dataset.filter]));
  }
  const some = rows.length === all.length ? "" : `${rows.length} of ${all.length} students`;
  setText(byId("shown"), all.length ? some : "No student has joined yet.");
}

function showMistakes(all) {
  const inLesson = all.filter(({ lesson }) => !chosen.lesson || lesson === chosen.lesson);
  const found = frequentDiagnoses(inLesson).slice(0, MANY_MISTAKES);
  byId("no-mistakes").hidden = found.length > 0;
  const list = byId("mistakes");
  const key = JSON.stringify([found, chosen.diagnosis]);
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
  button.setAttribute("aria-pressed", id === chosen.diagnosis);
  button.append(element("b", String(students)), " ", element("span", title));
  button.onclick = () => choose({ diagnosis: id === chosen.diagnosis ? "" : id });
  return item;
}

function choose(choice) {
  Object.assign(chosen, choice);
  for (const button of document.querySelectorAll("[data-filter]")) {
    button.setAttribute("aria-pressed", button.dataset.filter === chosen.state);
  }
  queueFrame(board, draw);
}

function show(name) {
  view = name;
  store("room-view", name);
  for (const button of document.querySelectorAll("[data-view]")) {
    button.setAttribute("aria-pressed", button.dataset.view === view);
  }
  redraw();
}

// Draws every row again: the other view, or the other names.
function redraw() {
  changed = new Set(state.rows.keys());
  queueFrame(board, draw);
}

function showConnection(what) {
  const box = byId("connection");
  box.dataset.state = what;
  setText(box, { connected: "connected", waiting: "connecting…" }[what] ?? what);
}

for (const button of document.querySelectorAll("[data-filter]")) {
  button.onclick = () => choose({ state: button.dataset.filter });
}
for (const button of document.querySelectorAll("[data-view]")) button.onclick = () => show(button.dataset.view);
byId("by-lesson").onchange = ({ target }) => choose({ lesson: target.value });
byId("by-text").oninput = ({ target }) => choose({ text: target.value });
byId("order").onchange = ({ target }) => {
  order = target.value;
  queueFrame(board, draw);
};
byId("mistakes-box").open = !matchMedia("(max-width: 64rem)").matches;
show(view);
onNames(() => {
  tiles.tick(now());
  redraw();
});
setInterval(() => {
  tiles.tick(now());
  queueFrame(board, draw); // a student may be stuck by now, and the order another one
}, TICK);
