// The recording in the panel: a diagram, a table, the details of an event, and the source that ran.

import { byId, element } from "../common/dom.js";
import { retryImport } from "../common/server.js";
import { Diagram } from "../diagram/diagram.js";
import { gapText } from "../diagram/layout.js";
import { Transcript } from "../diagram/transcript.js";
import { restore, storeOnUnload } from "./transcript_storage.js";

const ZOOMS = [0.8, 1, 1.25, 1.6];

// Returns the transcript that the page shows. Add events to it.
export function showRecording() {
  const source = new SourceView(byId("source"), byId("thread"));
  const transcript = restore() ?? new Transcript();
  const details = new Details(byId("details"));
  const diagram = new Diagram(byId("diagram"), {
    label: "What the server recorded, as a diagram",
    onSelect: (entry, isChosen) => {
      details.show(entry);
      if (isChosen) source.show(entry.event);
      else source.highlight(transcript.entries.findLast(({ event }) => source.hasHandlerOf(event))?.event);
    },
  });
  diagram.show(transcript);
  if (transcript.entries.length) showTable(transcript);
  else transcript.addEventListener("change", () => showTable(transcript), { once: true });
  new Playback(byId("playback"), diagram, transcript);
  connectSwitch(byId("show-table"), byId("recording"), () => scrollTableTo(diagram.pointed));
  connectSwitch(byId("enlarge"), byId("wire"));
  followAddress(diagram, transcript, details);
  storeOnUnload(transcript);
  return transcript;
}

// Loads the table's module when the first event has arrived.
async function showTable(transcript) {
  const { EventTable } = await retryImport((query) => import(`./event_table.js${query}`));
  const [box, table, placeholder, lost] = ["event-table", "events", "no-events", "lost-events"].map(byId);
  new EventTable({ box, table, placeholder, lost }).show(transcript);
}

// A button that shows the table instead of the diagram, or that enlarges the wire. Escape ends that.
function connectSwitch(button, section, onPress = () => {}) {
  const press = (isPressed) => {
    button.setAttribute("aria-pressed", isPressed);
    section.classList.toggle(button.dataset.class, isPressed);
    onPress();
  };
  button.onclick = () => press(button.getAttribute("aria-pressed") !== "true");
  section.addEventListener("keydown", ({ key }) => key === "Escape" && press(false));
}

function scrollTableTo(entry) {
  const row = entry && byId(`event-${Transcript.idOf(entry)}`);
  if (row) byId("event-table").scrollTop = row.offsetTop - byId("event-table").clientHeight / 2;
}

// Chooses the event that the page's address names: `#event-1.5` is event 5 of the first connection.
function followAddress(diagram, transcript, details) {
  const follow = () => {
    const [, id] = location.hash.match(/^#event-([\d.]+)$/) ?? [];
    if (!id) return;
    const entry = transcript.entries[transcript.indexOf(id)];
    if (!entry) return details.say(`Event ${id} was not recorded since this page was opened.`);
    diagram.choose(entry);
    scrollTableTo(entry);
  };
  addEventListener("hashchange", follow);
  follow();
}

// One event in full: its message as a Python literal, its lanes, handler, thread and time.
class Details {
  constructor(box) {
    this.facts = box.appendChild(element("p", "", "facts"));
    this.message = box.appendChild(element("pre", ""));
    this.box = box;
    box.onscroll = () => (this.isScrolled = box.scrollTop > 0);
  }

  say(text) {
    this.facts.replaceChildren(text);
    this.message.textContent = "";
    if (this.isScrolled) this.box.scrollTop = 0; // only if necessary, because it needs a layout
  }

  show(entry) {
    this.say(entry?.count ? `${gapText(entry)}: the feed cannot carry more.` : "");
    if (!entry?.event) return;
    const { of, event } = entry;
    const { handler, thread, literal } = event;
    const id = Transcript.idOf(entry);
    const link = element("a", `Event ${id}`);
    link.href = `#event-${id}`;
    const facts = [lanesOf(event, of), handler, thread, timeOf(event, of)];
    this.facts.append(link, ...facts.filter(Boolean).flatMap((fact) => [" · ", element("span", fact)]));
    this.message.textContent = literal ?? "";
  }
}

function timeOf({ time }, { begun }) {
  return `${((time - begun) * 1000).toFixed(1)} ms after it began`;
}

function lanesOf({ lane, direction }, { client, ordinal }) {
  const consumer = `consumer ${ordinal}`;
  const other = lane === "client" ? `client ${client}`.trim() : lane;
  return { in: `${other} → ${consumer}`, out: `${consumer} → ${other}` }[direction] ?? consumer;
}

// The source of the lesson's consumer. It highlights the handler that ran, and names its thread.
class SourceView {
  constructor(box, thread) {
    Object.assign(this, { box, thread });
    this.lines = [...box.querySelectorAll("[data-line]")];
    for (const line of this.lines) line.dataset.method = line.parentElement.dataset.method ?? "";
    this.methods = new Set(this.lines.map((line) => line.dataset.method).filter(Boolean));
  }

  // Highlights the handler of this event only. If it has none, nothing is highlighted.
  show(event) {
    this.thread.textContent = "";
    for (const line of this.lines) line.classList.remove("highlighted");
    this.highlighted = null;
    this.highlight(event);
  }

  // False if no handler ran, or one that is not in this source: a task, an inherited handler.
  hasHandlerOf(event) {
    return this.methods.has(event?.handler);
  }

  highlight(event) {
    if (!this.hasHandlerOf(event)) return;
    const { handler, thread } = event;
    const lines = this.lines.filter((line) => line.dataset.method === handler);
    this.thread.textContent = thread;
    if (handler === this.highlighted) return; // reading positions would need a layout
    this.highlighted = handler;
    for (const line of this.lines) line.classList.toggle("highlighted", lines.includes(line));
    const { offsetTop } = lines[0];
    const height = lines.at(-1).offsetTop + lines.at(-1).offsetHeight - offsetTop;
    const { scrollTop, clientHeight } = this.box;
    if (offsetTop < scrollTop || offsetTop + height > scrollTop + clientHeight) {
      // Scrolls this box only: the page must not move under the reader.
      this.box.scrollTop = offsetTop - Math.max(0, (clientHeight - height) / 2);
    }
  }
}

// The controls of a diagram: pause, position, single steps, zoom.
export class Playback {
  constructor(bar, diagram, transcript) {
    Object.assign(this, { diagram, transcript, zoom: 1 });
    for (const control of bar.querySelectorAll("[name]")) this[control.name] = control;
    this.count = bar.querySelector(".count");
    this.pause.onclick = () => this.seek(this.diagram.position === null ? this.length : null);
    this.scrub.oninput = () => this.seek(this.scrub.valueAsNumber);
    this.back.onclick = () => this.seek(Math.max(0, this.position - 1));
    this.next.onclick = () => this.seek(Math.min(this.length, this.position + 1));
    this.out.onclick = () => this.zoomBy(-1);
    this.in.onclick = () => this.zoomBy(1);
    transcript.addEventListener("change", () => this.schedule());
    this.draw();
  }

  get length() {
    return this.transcript.entries.length;
  }

  get position() {
    return this.diagram.position ?? this.length;
  }

  seek(position) {
    this.diagram.seek(position);
    this.draw();
  }

  zoomBy(steps) {
    this.zoom = Math.min(Math.max(this.zoom + steps, 0), ZOOMS.length - 1);
    this.diagram.zoomTo(ZOOMS[this.zoom]);
    this.draw();
  }

  schedule() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = null;
    const { length, position } = this;
    this.pause.setAttribute("aria-pressed", this.diagram.position !== null);
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
