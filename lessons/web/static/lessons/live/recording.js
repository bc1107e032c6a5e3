// The recorded part of the panel: diagram and table of one transcript, and what they point at.

import { byId, element } from "../common/dom.js";
import { retryImport } from "../common/server.js";
import { Diagram } from "../diagram/diagram.js";
import { gapText } from "../diagram/layout.js";
import { Transcript } from "../diagram/transcript.js";
import { restore, storeOnUnload } from "./transcript_storage.js";

// Shows what is added to the transcript that it returns.
export function recorded(source) {
  const transcript = restore() ?? new Transcript();
  const details = new Details(byId("details"));
  const diagram = new Diagram(byId("diagram"), {
    label: "What the server recorded, as a diagram",
    onSelect: (entry, isChosen) => {
      details.show(entry);
      if (isChosen) source.show(entry.event);
      else source.light(transcript.entries.findLast(({ event }) => source.hasHandlerOf(event))?.event);
    },
  });
  diagram.show(transcript);
  if (transcript.entries.length) fillTable(transcript);
  else transcript.addEventListener("change", () => fillTable(transcript), { once: true });
  new Playback(byId("playback"), diagram, transcript);
  switches(byId("recording"), () => showInTable(diagram.pointed));
  followAddress(diagram, transcript, details);
  storeOnUnload(transcript);
  return transcript;
}

// Its module is loaded once there is something to fill it with.
async function fillTable(transcript) {
  const { EventTable } = await retryImport(() => import("./event_table.js"));
  const [box, body, nothing, missing] = ["event-table", "events", "no-events", "lost-events"].map(byId);
  new EventTable({ box, body, nothing, missing }).show(transcript);
}

// Table or diagram, in its place or over the whole window.
function switches(section, onTable) {
  const [table, large] = [byId("show-table"), byId("enlarge")];
  const press = (button, isPressed) => {
    button.setAttribute("aria-pressed", isPressed);
    section.classList.toggle(button.dataset.class, isPressed);
  };
  const isPressed = (button) => button.getAttribute("aria-pressed") === "true";
  for (const button of [table, large]) button.onclick = () => press(button, !isPressed(button));
  table.addEventListener("click", onTable);
  section.addEventListener("keydown", ({ key }) => key === "Escape" && press(large, false));
}

// What the diagram points at is in view in the table too.
function showInTable(entry) {
  const row = entry && byId(`event-${Transcript.idOf(entry)}`);
  if (row) byId("event-table").scrollTop = row.offsetTop - byId("event-table").clientHeight / 2;
}

// `#event-1.5`: event 5 of the first connection.
function followAddress(diagram, transcript, details) {
  const follow = () => {
    const [, id] = location.hash.match(/^#event-([\d.]+)$/) ?? [];
    if (!id) return;
    const entry = transcript.entries[transcript.indexOf(id)];
    if (!entry) return details.say(`Event ${id} was not recorded since this page was opened.`);
    diagram.choose(entry);
    showInTable(entry);
  };
  addEventListener("hashchange", follow);
  follow();
}

// One event in full: the message as Python has it, and where, when and in which thread it was.
export class Details {
  constructor(box) {
    this.facts = box.appendChild(element("p", "", "facts"));
    this.message = box.appendChild(element("pre", ""));
    this.box = box;
    const scrolled = () => (this.isScrolled = box.scrollTop > 0);
    box.addEventListener("scroll", scrolled, { passive: true });
  }

  say(words) {
    this.facts.replaceChildren(words);
    this.message.textContent = "";
    if (this.isScrolled) this.box.scrollTop = 0; // it costs a layout
  }

  show(entry) {
    this.say(entry?.count ? `${gapText(entry)}: more came than the feed can carry.` : "");
    if (!entry?.event) return;
    const { of, event } = entry;
    const { handler, thread, literal } = event;
    const id = Transcript.idOf(entry);
    const link = element("a", `Event ${id}`);
    link.href = `#event-${id}`;
    const facts = [wayOf(event, of), handler, thread, since(event, of)];
    this.facts.append(link, ...facts.filter(Boolean).flatMap((fact) => [" · ", element("span", fact)]));
    this.message.textContent = literal ?? "";
  }
}

function since({ time }, { begun }) {
  return `${((time - begun) * 1000).toFixed(1)} ms after it began`;
}

function wayOf({ lane, direction }, { client, ordinal }) {
  const consumer = `consumer ${ordinal}`;
  const other = lane === "client" ? `client ${client}`.trim() : lane;
  return { in: `${other} → ${consumer}`, out: `${consumer} → ${other}` }[direction] ?? consumer;
}

// The worked consumer's source: lights up the lines of a handler that ran, and says in which thread.
export class Source {
  constructor(box, thread) {
    this.box = box;
    this.thread = thread;
    this.lines = [...box.querySelectorAll("[data-line]")];
    for (const line of this.lines) line.dataset.method = line.parentElement.dataset.method ?? "";
    this.methods = new Set(this.lines.map((line) => line.dataset.method).filter(Boolean));
  }

  // The handler of this event; none where it had none.
  show(event) {
    this.thread.textContent = "";
    for (const line of this.lines) line.classList.remove("highlighted");
    this.lit = null;
    this.light(event);
  }

  // Not where none was at work, or one of another class: a task, an inherited handler.
  hasHandlerOf(event) {
    return this.methods.has(event?.handler);
  }

  light(event) {
    if (!this.hasHandlerOf(event)) return;
    const { handler, thread } = event;
    const lit = this.lines.filter((line) => line.dataset.method === handler);
    this.thread.textContent = thread;
    if (handler === this.lit) return; // where it stands is a question that costs a layout
    this.lit = handler;
    for (const line of this.lines) line.classList.toggle("highlighted", lit.includes(line));
    const { offsetTop } = lit[0];
    const height = lit.at(-1).offsetTop + lit.at(-1).offsetHeight - offsetTop;
    const { scrollTop, clientHeight } = this.box;
    if (offsetTop < scrollTop || offsetTop + height > scrollTop + clientHeight) {
      // The box alone: the page under a reader's eyes stays where it is.
      this.box.scrollTop = offsetTop - Math.max(0, (clientHeight - height) / 2);
    }
  }
}

// The controls of a diagram: pause, scrub, step, zoom.

const ZOOMS = [0.8, 1, 1.25, 1.6];

export class Playback {
  constructor(bar, diagram, transcript) {
    Object.assign(this, { diagram, transcript, zoom: 1 });
    const named = (name) => bar.querySelector(`[name=${name}]`);
    this.pause = named("pause");
    this.scrub = named("scrub");
    this.count = bar.querySelector(".count");
    this.back = named("back");
    this.next = named("next");
    this.out = named("out");
    this.in = named("in");
    this.pause.onclick = () => this.seek(this.isPaused ? null : this.length);
    this.scrub.oninput = () => this.seek(this.scrub.valueAsNumber);
    this.back.onclick = () => this.seek(Math.max(0, this.position - 1));
    this.next.onclick = () => this.seek(Math.min(this.length, this.position + 1));
    this.out.onclick = () => this.zoomBy(-1);
    this.in.onclick = () => this.zoomBy(1);
    transcript.addEventListener("change", () => this.tellSoon());
    this.tell();
  }

  get length() {
    return this.transcript.entries.length;
  }

  get isPaused() {
    return this.diagram.position !== null;
  }

  get position() {
    return this.diagram.position ?? this.length;
  }

  seek(position) {
    this.diagram.seek(position);
    this.tell();
  }

  zoomBy(steps) {
    this.zoom = Math.min(Math.max(this.zoom + steps, 0), ZOOMS.length - 1);
    this.diagram.zoomTo(ZOOMS[this.zoom]);
    this.tell();
  }

  tellSoon() {
    this.frame ??= requestAnimationFrame(() => this.tell());
  }

  tell() {
    this.frame = null;
    const { length, position } = this;
    this.pause.setAttribute("aria-pressed", this.isPaused);
    this.scrub.max = length;
    this.scrub.valueAsNumber = position;
    this.scrub.disabled = !length;
    this.back.disabled = !position;
    this.next.disabled = position >= length;
    this.out.disabled = this.zoom === 0;
    this.in.disabled = this.zoom === ZOOMS.length - 1;
    this.count.textContent = position < length ? `${position} of ${length}` : `${length} in all`;
  }
}
