// The board of a class: a function of the store, and of what the instructor has chosen to see.

import { byId } from "../lessons/common/dom.js";
import { store, stored } from "../lessons/common/storage.js";
import { Fragment, computed, effect, html, render, signal, useLayoutEffect } from "../lessons/vendor/preact.js";
import { open } from "./dialogs.js";
import { Name, shownName } from "./names.js";
import { Poll } from "./poll.js";
import { FILTERS, WORDS, clock, duration, frequentMistakes, isStuck, ordered, partsNow, rowsOf } from "./room_state.js";
import { act, answer, follow, now, page, room, titleOf } from "./store.js";

const FILTER_NAMES = { all: "All", stuck: "Stuck", hands: "Hands", red: "Red", green: "Green", away: "Offline" };
const SIGNS = { red: "✗", green: "✓", read: "●", unchanged: "○", new: "○" };
const MANY_MISTAKES = 8;

const filter = signal("all");
const lesson = signal(""); // a slug, or "" for the lesson in which each student is
const mistake = signal("");
const view = signal(stored("room-view") === "grid" ? "grid" : "tiles");

const all = computed(() => ordered(rowsOf(room.value.students, lesson.value)));
const makesMistake = ({ state, diagnosis }) => !mistake.value || (state === "red" && diagnosis === mistake.value);
const shows = (row, name = filter.value) => FILTERS[name](row, now.value);
const rows = computed(() => all.value.filter((row) => shows(row) && makesMistake(row)));
const pageOf = ({ id }, slug) => page.student.replace("/0/none/", `/${id}/${slug ?? "none"}/`);

function Board() {
  if (!room.value) return null;
  return html`<${Banners} /><${Poll} /><${Filters} />
    <div class="columns"><${Mistakes} /><${Students} /></div>`;
}

function Holds() {
  const { held } = room.value ?? { held: [] };
  return ["hints", "solutions"].map((what) => html`<button type="button" aria-pressed=${held.includes(what)}
    onClick=${() => act({ type: "hold", what, is_held: !held.includes(what) })}>Hold ${what}</button>`);
}

function Banners() {
  const { timer, look, today } = room.value;
  const left = timer ? timer.ends - now.value : 0;
  return html`<div class="banners">
    ${timer && html`<${Banner} id="timer" end="End the timer" frame=${{ type: "timer", minutes: 0 }}>
      <span class="timer-text">${clock(left)} ${timer.is_break && "Break "}${timer.label}</span><//>`}
    ${today && html`<${Banner} id="today" end="End the plan" frame=${{ type: "today" }}>
      <${Plan} today=${today} /><//>`}
    ${look && html`<${Banner} id="look" end="Stop pointing" frame=${{ type: "look" }}>
      <span>Everyone looks at lesson ${titleOf(look.lesson)}${look.detail}</span><//>`}</div>`;
}

function Banner({ id, end, frame, children }) {
  return html`<p class="banner" id=${id}>${children} <button type="button" onClick=${() => act(frame)}>${end}</button></p>`;
}

function Plan({ today }) {
  const [part, next] = partsNow(today);
  const told = ({ slug, begins }) => `${begins} lesson ${titleOf(slug)}`;
  return html`<span>Today’s plan, until ${today.parts.at(-1).ends}: ${told(part)}${next && `, then ${told(next)}`}</span>`;
}

function Filters() {
  const count = (name) => all.value.filter((row) => shows(row, name)).length;
  const views = { tiles: "Tiles", grid: "Grid" };
  const show = (name) => {
    view.value = name;
    store("room-view", name);
  };
  return html`<div class="filters" role="search" aria-label="Students">
    <div class="states" role="group" aria-label="Show">${Object.entries(FILTER_NAMES).map(([name, text]) => html`<button type="button"
      aria-pressed=${filter.value === name} onClick=${() => (filter.value = name)}>${text} <b>${count(name)}</b></button>`)}</div>
    <label>Lesson <select id="by-lesson" autocomplete="off" onChange=${({ target }) => {
      lesson.value = target.value;
      mistake.value = "";
    }}><option value="">where each is</option>
      ${page.lessons.map(({ slug, number }) => html`<option value=${slug}>${number} ${slug}</option>`)}</select></label>
    <div class="views" role="group" aria-label="View">${Object.entries(views).map(([name, text]) => html`<button type="button"
      aria-pressed=${view.value === name} onClick=${() => show(name)}>${text}</button>`)}</div>
  </div>`;
}

function Mistakes() {
  const found = frequentMistakes(all.value).slice(0, MANY_MISTAKES);
  return html`<section class="mistakes" aria-labelledby="mistakes-title">
    <details open=${!matchMedia("(max-width: 64rem)").matches}><summary><h2 id="mistakes-title">Mistakes now</h2></summary>
      <ol id="mistakes">${found.map(({ id, title, students }) => html`<li key=${id}><button type="button"
        aria-pressed=${id === mistake.value} onClick=${() => (mistake.value = id === mistake.value ? "" : id)}><b>${students}</b> <span>${title}</span></button></li>`)}</ol>
      ${!found.length && html`<p class="quiet">No exercise is red.</p>`}
    </details>
  </section>`;
}

function Students() {
  const some = rows.value.length === all.value.length ? "" : `${rows.value.length} of ${all.value.length} students`;
  return html`<section class="students" aria-labelledby="students-title">
    <h2 class="visually-hidden" id="students-title">Students</h2>
    <p class="quiet shown"><span>Minutes are those without progress.</span> <span role="status">${all.value.length ? some : "No student has joined yet."}</span></p>
    ${view.value === "tiles" ? html`<${Tiles} />` : html`<${Grid} />`}
  </section>`;
}

function Tiles() {
  keepFocus();
  return html`<ol class="tiles" id="tiles">${rows.value.map((row) => html`<${Tile} key=${row.id} row=${row} />`)}</ol>`;
}

// An element that moves in the document loses the focus.
function keepFocus() {
  const focused = document.activeElement;
  useLayoutEffect(() => {
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  });
}

function Tile({ row }) {
  const isWaiting = row.slug && !["green", "read"].includes(row.state);
  const hints = row.hints > 0 && `${row.hints} hint${row.hints === 1 ? "" : "s"}`;
  const kinds = { away: !row.connected, stuck: isStuck(row, now.value), raised: row.hand !== null };
  return html`<li class=${["tile", ...Object.keys(kinds).filter((kind) => kinds[kind])].join(" ")} data-state=${row.state}>
    <h3><a class="name" href=${pageOf(row, row.slug)}><${Name} row=${row} /></a></h3>
    <p class="standing"><span class="state" data-state=${row.state}>${row.slug && WORDS[row.state]}</span> <span class="lesson">${row.slug ? titleOf(row.slug) : "no lesson yet"}</span></p>
    <p class="headline">${row.state === "red" && row.title}</p>
    <p class="sentence">${row.hand && html`<q>${row.hand}</q>`}</p>
    <p class="tile-foot"><span class="time" title="Without progress">${isWaiting && duration(now.value - row.at)}</span>
      <span class="facts">${[hints, !row.connected && "offline"].filter(Boolean).join(" · ")}</span>
      <span class="tile-buttons">
        ${row.hand !== null && html`<button type="button" key="lower"
          onClick=${() => act({ type: "hand", student: row.id }, "The hand is down.")}>Lower hand</button>`}
        <button type="button" key="message" class="message" aria-label=${`Message to ${shownName(row)}`} onClick=${() => open("message", row.id)}>Message</button>
      </span></p>
  </li>`;
}

// A row for each student, a column for each of today's lessons, or of all.
function Grid() {
  keepFocus();
  const { today } = room.value;
  const columns = page.lessons.filter(({ slug }) => !today || today.lessons.includes(slug));
  const green = (slug) => rows.value.filter(({ standings }) => standings[slug]?.state === "green").length;
  return html`<div class="scroll grid-box" role="region" aria-label="Students and lessons" tabindex="0">
    <table class="grid" id="grid">
      <thead><tr><th scope="col">Student</th>${columns.map(({ slug, number, title, isOptional }) => html`<th scope="col">
        <abbr title=${`${slug}: ${title}${isOptional ? ", optional" : ""}`}>${isOptional ? `(${number})` : number}</abbr></th>`)}</tr></thead>
      <tbody>${rows.value.map((row) => html`<tr key=${row.id} class=${row.connected ? "" : "away"}>
        <th scope="row">${row.hand !== null && html`<${Fragment}><span class="hand-sign">hand</span> <//>`}<a href=${pageOf(row, row.lesson)}><${Name} row=${row} /></a></th>
        ${columns.map((column) => html`<${GridCell} row=${row} ...${column} />`)}
      </tr>`)}</tbody>
      <tfoot><tr><th scope="row">Green</th>${columns.map(({ slug }) => html`<td>${green(slug) || ""}</td>`)}</tr></tfoot>
    </table></div>`;
}

// The Tab key reaches the students only: a student's page leads to each lesson.
function GridCell({ row, slug, number }) {
  const state = row.standings[slug]?.state;
  return html`<td class=${row.lesson === slug ? "now" : ""} data-state=${state ?? ""}>
    ${state && html`<a href=${pageOf(row, slug)} tabindex="-1" aria-label=${`Lesson ${number}: ${WORDS[state]}`}>${SIGNS[state]}</a>`}
  </td>`;
}

render(html`<${Board} />`, byId("board"));
render(html`<${Holds} />`, byId("holds"));
for (const one of document.querySelectorAll("[data-dialog]")) one.onclick = () => open(one.dataset.dialog);
effect(() => {
  byId("answer").textContent = answer.value.text;
  byId("answer").classList.toggle("error", answer.value.isError);
});
follow();
