// The students as tiles. A tile stays the same element, so that it keeps its focus.

import { button, element, setText } from "../lessons/common/dom.js";
import { nameParts, shownName } from "./names.js";
import { WORDS, duration, isStuck } from "./room_state.js";

// Puts the children of a box into this order. Only what is at a wrong place moves.
export function arrange(box, wanted) {
  const focused = document.activeElement;
  for (const child of [...box.children]) if (!wanted.includes(child)) child.remove();
  wanted.forEach((child, index) => {
    if (box.children[index] !== child) box.insertBefore(child, box.children[index] ?? null);
  });
  // An element that moves in the document loses the focus.
  if (focused !== document.activeElement && box.contains(focused)) focused.focus({ preventScroll: true });
}

export class Tiles {
  tiles = new Map(); // id → Tile

  // `board` has page(row, lesson), titleOf(slug), lowerHand(row) and message(row).
  constructor(list, board) {
    Object.assign(this, { list, board });
  }

  draw(rows, now) {
    const known = this.tiles;
    this.tiles = new Map(rows.map((row) => [row.id, known.get(row.id) ?? new Tile(this.board)]));
    for (const row of rows) this.tiles.get(row.id).draw(row, now);
    arrange(this.list, rows.map(({ id }) => this.tiles.get(id).item));
  }
}

class Tile {
  constructor(board) {
    this.board = board;
    this.item = element("li", "", "tile");
    this.name = element("a", "", "name");
    this.state = element("span", "", "state");
    this.lesson = element("span", "", "lesson");
    this.headline = element("p", "", "headline");
    this.sentence = element("p", "", "sentence");
    this.time = element("span", "", "time");
    this.time.title = "Without progress";
    this.facts = element("span", "", "facts");
    this.lower = button("Lower hand", () => board.lowerHand(this.row));
    this.message = button("Message", () => board.message(this.row));
    this.message.className = "message";
    const head = element("h3", "");
    head.append(this.name);
    const standing = element("p", "", "standing");
    standing.append(this.state, " ", this.lesson);
    const foot = element("p", "", "tile-foot");
    const buttons = element("span", "", "tile-buttons");
    buttons.append(this.lower, this.message);
    foot.append(this.time, this.facts, buttons);
    this.item.append(head, standing, this.headline, this.sentence, foot);
  }

  draw(row, now) {
    const { item, board } = this;
    this.row = row;
    item.dataset.state = row.state;
    item.classList.toggle("away", !row.connected);
    item.classList.toggle("stuck", isStuck(row, now));
    item.classList.toggle("raised", row.hand !== null);
    const label = shownName(row);
    if (this.label !== label) {
      this.label = label;
      this.name.replaceChildren(...nameParts(row));
      this.message.setAttribute("aria-label", `Message to ${label}`);
    }
    this.name.href = board.page(row, row.slug);
    this.state.dataset.state = row.state;
    setText(this.state, row.slug ? WORDS[row.state] : "");
    setText(this.lesson, row.slug ? board.titleOf(row.slug) : "no lesson yet");
    setText(this.headline, row.state === "red" ? row.title : "");
    setText(this.sentence, row.hand ?? "");
    const isWaiting = row.slug && !["green", "read"].includes(row.state);
    setText(this.time, isWaiting ? duration(now - row.at) : "");
    const hints = row.hints ? `${row.hints} hint${row.hints === 1 ? "" : "s"}` : "";
    setText(this.facts, [hints, row.connected ? "" : "offline"].filter(Boolean).join(" · "));
    this.lower.hidden = row.hand === null;
  }
}
