// The details of the chosen event: its message as a Python literal, its lanes, handler, thread and time.

import { element, withoutDirectionMarks } from "../common/dom.js";
import { gapText } from "../diagram/layout.js";
import { Transcript } from "../diagram/transcript.js";

export class Details {
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
    this.message.textContent = withoutDirectionMarks(literal ?? "");
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
