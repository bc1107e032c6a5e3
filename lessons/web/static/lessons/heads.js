// The heads of a diagram's lanes. Each is a switch: what its lane has to do with is shown or not.

import { nameOf } from "./lanes.js";
import { element } from "./message.js";

export class Heads {
  constructor(box, onSwitch) {
    this.onSwitch = onSwitch;
    this.box = box.appendChild(document.createElement("div"));
    this.box.className = "heads";
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", "Lanes shown");
    this.made = new Map(); // key of a lane → its button
  }

  draw(lanes, folded, { width, left }) {
    this.box.style.width = `${width}px`;
    for (const [key, button] of this.made) {
      if (lanes.some((lane) => lane.key === key)) continue;
      button.remove();
      this.made.delete(key);
    }
    lanes.forEach((lane, index) => {
      const button = this.made.get(lane.key) ?? this.make(lane);
      const before = lane.x - (lanes[index - 1]?.x ?? 2 * left - lane.x);
      const after = (lanes[index + 1]?.x ?? 2 * width - lane.x) - lane.x;
      const room = Math.min(before, after) - 4;
      // As wide as its words, and moved by a transform: a lane that comes shifts no layout.
      button.style.maxWidth = `${room}px`;
      button.style.transform = `translateX(${lane.x}px) translateX(-50%)`;
      button.setAttribute("aria-pressed", !folded.has(lane.key));
      const there = this.box.children[index] ?? null;
      if (there !== button) this.box.insertBefore(button, there);
    });
  }

  make(lane) {
    const { key, kind, name, server } = lane;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.lane = kind;
    button.title = nameOf(lane);
    const who = [name, server].filter(Boolean).join(" ");
    button.append(kind, ...(who ? [" ", element("span", who)] : []));
    button.onclick = () => this.onSwitch(key);
    this.made.set(key, button);
    return button;
  }
}
