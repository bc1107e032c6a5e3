// Cards that are put in order, by their buttons or by dragging; some may belong under the line.

import { element, loadCss } from "../common/dom.js";

await loadCss("predict/answers.css");

const PARTS = /^(client|consumer|layer|database)( \d+)? ([→←·]) (.*)$/;

export class EventOrder {
  constructor(box, { cards, decoys }, say) {
    this.say = say;
    this.list = element("ol", "", "cards");
    this.list.setAttribute("aria-label", "First what comes first");
    this.items = cards.map((label, number) => this.card(label, number));
    this.list.append(...this.items);
    if (decoys) {
      this.line = element("li", "Below this line: never comes", "never-line");
      this.list.append(this.line);
    }
    this.list.ondragover = (event) => this.over(event);
    this.tell();
    box.append(this.list);
  }

  card(label, number) {
    const item = document.createElement("li");
    const [, lane, of = "", arrow, text] = PARTS.exec(label) ?? [null, "", "", "", label];
    item.className = "card";
    item.draggable = true;
    item.dataset.number = number;
    item.dataset.lane = lane;
    item.append(element("span", "", "sign"), element("code", `${lane}${of}`, "lane"));
    item.append(element("code", `${arrow} ${text}`, "event"));
    for (const [sign, name, step] of [["↑", "Up", -1], ["↓", "Down", 1]]) {
      const button = element("button", sign);
      button.type = "button";
      button.setAttribute("aria-label", `${name}: ${label}`);
      button.onclick = () => this.move(item, step, button);
      item.append(button);
    }
    item.ondragstart = (event) => {
      this.dragged = item;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", label); // Firefox drags nothing without
      item.classList.add("dragged");
    };
    item.ondragend = () => {
      item.classList.remove("dragged");
      this.dragged = null;
      this.tell(item);
    };
    return item;
  }

  move(item, step, button) {
    const other = step < 0 ? item.previousElementSibling : item.nextElementSibling;
    if (!other) return;
    if (step < 0) other.before(item);
    else other.after(item);
    button.focus(); // what is moved in the document loses it
    this.tell(item);
  }

  over(event) {
    const other = event.target.closest("li");
    if (!this.dragged || !other) return;
    event.preventDefault();
    if (other === this.passed) return; // where heights differ, it may be under the pointer still
    this.passed = other;
    if (other === this.dragged) return;
    const isLater =
      this.dragged.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING;
    if (isLater) other.after(this.dragged);
    else other.before(this.dragged);
  }

  // Where a card has come to, said aloud; what was marked is not so any more.
  tell(item) {
    for (const one of this.items) delete one.dataset.right;
    if (!item) return;
    const above = this.above();
    const place = above.indexOf(item) + 1;
    this.say(place ? `Place ${place} of ${above.length}.` : "Never comes.");
  }

  above() {
    const all = [...this.list.children];
    return this.line ? all.slice(0, all.indexOf(this.line)) : all;
  }

  given() {
    const above = this.above();
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

  wrong({ right }) {
    const count = right.filter(Boolean).length;
    return `${count} of ${right.length} are in place. This is what crossed:`;
  }

  focus() {
    this.items[0].querySelector("button").focus();
  }
}

// A table of frames and clients, in which it is ticked who receives what.
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
      const first = document.createElement("th");
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

  given() {
    const ticked = this.boxes.filter((box) => box.checked);
    if (!ticked.length) throw new Error("Nothing is ticked yet. Something arrives: tick what.");
    return ticked.map((box) => ["given", box.value]);
  }

  mark({ received }) {
    for (const box of this.boxes) {
      box.parentElement.dataset.right = box.checked === received.includes(box.value);
    }
  }

  wrong({ received }) {
    const ticked = this.boxes.filter((box) => box.checked);
    const right = ticked.filter((box) => received.includes(box.value)).length;
    const wrong = ticked.length - right;
    const also = wrong ? `, and ${wrong} that ${wrong === 1 ? "does" : "do"} not` : "";
    return `Ticked: ${right} of the ${received.length} that arrive${also}. This is what crossed:`;
  }

  focus() {
    this.boxes[0].focus();
  }
}
