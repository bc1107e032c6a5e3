// What the browser was told about the lesson's socket, as a list.

import { element } from "./message.js";

const MOST = 200; // lines kept

export class Seen {
  constructor(list) {
    this.list = list;
    this.waiting = [];
  }

  // Drawn once a frame, or a thousand messages would be a thousand layouts.
  add(kind, text, server = "") {
    if (!this.waiting.length) requestAnimationFrame(() => this.draw());
    this.waiting.push([kind, text, server]);
    if (this.waiting.length > MOST) this.waiting.shift();
  }

  draw() {
    for (const [kind, text, server] of this.waiting.splice(0)) {
      const item = document.createElement("li");
      item.append(server && `${server} `, element("b", kind), " ", text);
      this.list.append(item);
    }
    while (this.list.children.length > MOST) this.list.firstElementChild.remove();
    this.list.parentElement.scrollTop = this.list.parentElement.scrollHeight;
  }

  clear() {
    this.waiting = [];
    this.list.replaceChildren();
  }
}
