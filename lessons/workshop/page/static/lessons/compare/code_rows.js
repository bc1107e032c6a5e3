// The code of the solution and of the mistake, in aligned rows. Both scroll together.

import { element } from "../common/dom.js";

// Two boxes with equal rows keep the same position.
export function scrollTogether(...boxes) {
  for (const [box, other] of [boxes, boxes.toReversed()]) {
    box.addEventListener("scroll", () => {
      if (other.scrollTop !== box.scrollTop) other.scrollTop = box.scrollTop;
    });
  }
}

const SIDES = ["right", "wrong"];

export class CodeRows {
  // `boxes` are the elements of the two sides, {right, wrong}.
  constructor(boxes) {
    this.boxes = boxes;
    this.lines = [];
  }

  // `code` is {right, wrong, rows}, as play_views.py describes it; null hides both sides.
  show(code) {
    this.highlighted = null;
    this.lines = [];
    for (const side of SIDES) {
      const box = this.boxes[side];
      box.hidden = !code;
      box.replaceChildren(...(code ? this.side(side, code) : []));
    }
    if (code) scrollTogether(...SIDES.map((side) => this.boxes[side].querySelector("pre")));
  }

  side(side, { [side]: place, rows }) {
    const pre = element("pre", "", "scroll");
    pre.tabIndex = 0;
    pre.setAttribute("aria-label", `Code: ${place}`);
    const inner = pre.appendChild(document.createElement("code"));
    for (const { [side]: line, differs } of rows) inner.append(this.line(line, differs));
    return [element("p", place, "place"), pre];
  }

  line(line, differs) {
    const made = element("span", "", "line");
    made.classList.toggle("differs", differs);
    made.classList.toggle("blank", !line);
    if (line) {
      made.dataset.line = line.number;
      made.dataset.method = line.method;
      made.innerHTML = line.html; // the server escapes it
      if (differs) made.prepend(element("span", "differs: ", "visually-hidden"));
      this.lines.push(made);
    }
    return made;
  }

  // Highlights the method that handled an event, on both sides.
  highlight(handler) {
    if (!handler || handler === this.highlighted) return;
    this.highlighted = handler;
    for (const line of this.lines) line.classList.toggle("highlighted", line.dataset.method === handler);
    const first = this.lines.find((line) => line.classList.contains("highlighted"));
    const pre = first?.closest("pre");
    if (pre) pre.scrollTop = Math.max(0, first.offsetTop - pre.clientHeight / 4);
  }
}
