// One event in full: the message as Python has it, and where, when and in which thread it was.

import { gapText } from "./layout.js";
import { literal } from "./literal.js";
import { element } from "./message.js";
import { Transcript } from "./transcript.js";

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
    const { handler, thread, message } = event;
    const id = Transcript.idOf(entry);
    const link = element("a", `Event ${id}`);
    link.href = `#event-${id}`;
    const facts = [wayOf(event, of), handler, thread, since(event, of)];
    this.facts.append(link, ...facts.filter(Boolean).flatMap((fact) => [" · ", element("span", fact)]));
    this.message.textContent = literal(message);
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
