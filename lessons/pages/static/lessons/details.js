// One event in full: the message as Python has it, and where, when and in which thread it was.

import { literal } from "./literal.js";
import { element } from "./message.js";
import { Transcript } from "./transcript.js";

const SIGNS = { in: "→", out: "←", mark: "·" };

export class Details {
  constructor(box) {
    this.facts = box.appendChild(element("p", "", "facts"));
    this.message = box.appendChild(element("pre", ""));
    this.box = box;
  }

  show(entry) {
    this.facts.replaceChildren();
    this.message.textContent = "";
    this.box.scrollTop = 0;
    if (!entry?.event) return;
    const { of, event } = entry;
    const { lane, direction, handler, thread, message } = event;
    const id = Transcript.idOf(entry);
    const link = element("a", `Event ${id}`);
    link.href = `#event-${id}`;
    const other = lane === "consumer" ? "" : `${lane} ${SIGNS[direction]} `;
    const facts = [`${other}consumer ${of.ordinal}`, handler, thread, since(event, of)];
    this.facts.append(link, ...facts.filter(Boolean).flatMap((fact) => [" · ", element("span", fact)]));
    this.message.textContent = literal(message);
  }
}

function since({ time }, { begun }) {
  return `${((time - begun) * 1000).toFixed(1)} ms after it began`;
}
