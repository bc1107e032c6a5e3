// A table of frames and clients, in which it is ticked who receives what.

import { element } from "./message.js";
import { style } from "./style.js";

await style("./answers.css");

export default class Receivers {
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
