// The two ways to answer a question: cards in order, and a table of who receives what.

import { button, element, loadCss } from "../common/dom.js";

await loadCss("predict/answers.css");

const LABEL = /^(client|consumer|layer|database)( \d+)? ([→←·]) (.*)$/;

// Cards to put in order, with buttons or by dragging. Events that never happen belong below a line.
export class EventOrder {
  constructor(box, { cards, decoys }, say) {
    this.say = say;
    this.list = element("ol", "", "cards");
    this.list.setAttribute("aria-label", "Events, the first one on top");
    this.items = cards.map((label, number) => this.makeCard(label, number));
    this.list.append(...this.items);
    if (decoys) {
      this.line = element("li", "Below this line: never comes", "never-line");
      this.list.append(this.line);
    }
    this.list.ondragover = (event) => this.dragOver(event);
    box.append(this.list);
  }

  makeCard(label, number) {
    const item = element("li", "", "card");
    const [, lane, of = "", arrow, text] = LABEL.exec(label) ?? [null, "", "", "", label];
    item.draggable = true;
    item.dataset.number = number;
    item.dataset.lane = lane;
    const parts = [element("code", `${lane}${of}`, "lane"), element("code", `${arrow} ${text}`, "event")];
    item.append(element("span", "", "sign"), ...parts);
    for (const [sign, name, step] of [["↑", "Up", -1], ["↓", "Down", 1]]) {
      const made = button(sign, () => this.move(item, step, made));
      made.setAttribute("aria-label", `${name}: ${label}`);
      item.append(made);
    }
    item.ondragstart = (event) => {
      this.dragged = item;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", label); // Firefox drags nothing without data
      item.classList.add("dragged");
    };
    item.ondragend = () => {
      item.classList.remove("dragged");
      this.dragged = null;
      this.moved(item);
    };
    return item;
  }

  move(item, step, pressed) {
    const other = step < 0 ? item.previousElementSibling : item.nextElementSibling;
    if (!other) return;
    if (step < 0) other.before(item);
    else other.after(item);
    pressed.focus(); // an element that moves in the document loses the focus
    this.moved(item);
  }

  dragOver(event) {
    const other = event.target.closest("li");
    if (!this.dragged || !other) return;
    event.preventDefault();
    if (other === this.passed) return; // cards differ in height: it may still be under the pointer
    this.passed = other;
    if (other === this.dragged) return;
    const isLater = this.dragged.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING;
    if (isLater) other.after(this.dragged);
    else other.before(this.dragged);
  }

  // Reports the new place of a card. The marks of an earlier check no longer apply.
  moved(item) {
    for (const one of this.items) delete one.dataset.right;
    const above = this.aboveLine();
    const place = above.indexOf(item) + 1;
    this.say(place ? `Place ${place} of ${above.length}.` : "Never comes.");
  }

  aboveLine() {
    const all = [...this.list.children];
    return this.line ? all.slice(0, all.indexOf(this.line)) : all;
  }

  parameters() {
    const above = this.aboveLine();
    const name = (item) => (above.includes(item) ? "given" : "never");
    return [...this.list.querySelectorAll(".card")].map((it) => [name(it), it.dataset.number]);
  }

  mark({ right }) {
    for (const item of this.items) {
      const isRight = right[item.dataset.number];
      item.dataset.right = isRight;
      const sign = item.querySelector(".sign");
      sign.textContent = isRight ? "✓" : "✗";
      sign.setAttribute("role", "img");
      sign.setAttribute("aria-label", isRight ? "right" : "not here");
    }
  }

  summary({ right }) {
    const count = right.filter(Boolean).length;
    return `${count} of ${right.length} are in place. These are the events:`;
  }

  focus() {
    this.items[0].querySelector("button").focus();
  }
}

// A table of frames and clients. The student ticks which client receives which frame.
export class Receivers {
  constructor(box, { cards, clients }) {
    const name = (client) => (clients.length > 1 ? `client ${client}` : "arrives");
    this.table = element("table", "", "receivers");
    const head = this.table.createTHead().insertRow();
    head.append(element("th", "what is sent"));
    head.append(...clients.map((client) => element("th", name(client))));
    for (const cell of head.cells) cell.scope = "col";
    const body = this.table.createTBody();
    this.boxes = cards.flatMap((label, number) => {
      const row = body.insertRow();
      const first = element("th", "");
      first.scope = "row";
      first.append(element("code", label));
      row.append(first);
      return clients.map((client) => {
        const box = document.createElement("input");
        box.type = "checkbox";
        box.value = `${client}:${number}`;
        box.setAttribute("aria-label", `${name(client)}: ${label}`);
        box.onchange = () => delete box.parentElement.dataset.right;
        row.insertCell().append(box);
        return box;
      });
    });
    const scroll = element("div", "", "scroll");
    scroll.append(this.table);
    box.append(scroll);
  }

  parameters() {
    const ticked = this.boxes.filter((box) => box.checked);
    if (!ticked.length) throw new Error("Nothing is ticked yet. Something arrives: tick what.");
    return ticked.map((box) => ["given", box.value]);
  }

  mark({ received }) {
    for (const box of this.boxes) {
      box.parentElement.dataset.right = box.checked === received.includes(box.value);
    }
  }

  summary({ received }) {
    const ticked = this.boxes.filter((box) => box.checked);
    const right = ticked.filter((box) => received.includes(box.value)).length;
    const wrong = ticked.length - right;
    const rest = wrong ? `, and ${wrong} that ${wrong === 1 ? "does" : "do"} not` : "";
    return `Ticked: ${right} of the ${received.length} that arrive${rest}. These are the events:`;
  }

  focus() {
    this.boxes[0].focus();
  }
}
