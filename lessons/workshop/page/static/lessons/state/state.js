// The tab "State": what the consumer remembers after the chosen event, and what the layer and the
// database hold then.

import { element, loadCss } from "../common/dom.js";
import { stateAt } from "./state_at.js";

await loadCss("state/state.css");

const EMPTY = "Choose an event in the diagram. Here stands what the consumer remembers after it.";

export class StateView {
  constructor(panel) {
    Object.assign(this, { panel, entry: null });
    this.onChange = () => this.schedule(); // the state may come later than its event
    panel.addEventListener("shown", () => this.draw());
  }

  follow(transcript) {
    this.transcript?.removeEventListener("change", this.onChange);
    this.transcript = transcript;
    transcript.addEventListener("change", this.onChange);
    this.schedule();
  }

  // `entry` is the one that the diagram points at, or null.
  show(entry) {
    this.entry = entry;
    this.schedule();
  }

  schedule() {
    if (this.panel.hidden) return;
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = null;
    const entry = this.transcript.entries.find((one) => one === this.entry && one.event);
    if (!entry) return this.panel.replaceChildren(element("p", EMPTY, "quiet"));
    const { attributes, groups, queue, rows } = stateAt(this.transcript.entries, entry);
    const parts = [
      list(`${nameOf(entry.of)} remembers`, attributes.map(attributeItem), "Nothing yet: its code has set no attribute."),
      list("Groups", [...groups].map(groupItem)),
      list("Waiting in the layer", [...queue].map(queueItem)),
      list("Rows written", rows.map(rowItem)),
    ];
    this.panel.replaceChildren(...parts.filter(Boolean));
  }
}

// A part with a heading. Without items it says `empty`, or is left out.
function list(title, items, empty = "") {
  if (!items.length && !empty) return null;
  const part = element("section", "", "state-part");
  part.append(element("h3", title));
  if (!items.length) part.append(element("p", empty, "quiet"));
  else part.appendChild(document.createElement("dl")).append(...items.flat());
  return part;
}

function item(term, value, isNew = false) {
  const made = [element("dt", term), element("dd", value)];
  if (isNew) made[1].append(" ", element("span", "changed here", "changed"));
  for (const one of made) one.classList.toggle("new", isNew);
  return made;
}

function attributeItem({ name, text, isNew }) {
  return item(name, text, isNew);
}

function groupItem([group, members]) {
  const names = members.map(({ of, hasEnded }) => `${nameOf(of)}${hasEnded ? " (ended, and still a member)" : ""}`);
  return item(group, names.join(", "));
}

function queueItem([of, count]) {
  return item(nameOf(of), `${count} ${count === 1 ? "message" : "messages"}`);
}

function rowItem({ verb, table, count, isNew }) {
  return item(table, `${verb}${count > 1 ? ` × ${count}` : ""}`, isNew);
}

function nameOf(of) {
  return of ? `Consumer ${of.ordinal}` : "a consumer of another page";
}
