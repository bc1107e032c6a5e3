// The students as tiles. A change touches only the tiles that differ.

import { button, element, setText } from "../lessons/common/dom.js";
import { nameParts, shownName } from "./names.js";
import { duration, isStuck, moves, secondsWithoutProgress } from "./room_state.js";

const STATES = { new: "not started", red: "red", green: "green", read: "read" };

export class Tiles {
  tiles = new Map(); // id → Tile

  // `board` has page(row, lesson), titleOf(slug), lowerHand(row) and message(row).
  constructor(list, board) {
    Object.assign(this, { list, board });
  }

  // Shows these rows in this order; `changed` are the ids whose tiles must be drawn again.
  draw(rows, changed, now) {
    const shown = new Set(rows.map(({ id }) => id));
    for (const [id, tile] of this.tiles) {
      if (shown.has(id)) continue;
      tile.item.remove();
      this.tiles.delete(id);
    }
    for (const row of rows) {
      const known = this.tiles.get(row.id);
      if (!known) this.tiles.set(row.id, new Tile(row, this.board, now));
      else if (changed.has(row.id)) known.update(row, now);
    }
    this.arrange(rows.map(({ id }) => this.tiles.get(id).item));
  }

  arrange(wanted) {
    const focused = document.activeElement;
    for (const [item, before] of moves(this.list.children, wanted)) this.list.insertBefore(item, before);
    // An element that moves in the document loses the focus.
    if (focused !== document.activeElement && this.list.contains(focused)) focused.focus({ preventScroll: true });
  }

  // The time passes: writes what differs from a moment ago.
  tick(now) {
    for (const tile of this.tiles.values()) tile.showTime(now);
  }
}

class Tile {
  constructor(row, board, now) {
    this.board = board;
    this.item = element("li", "", "tile");
    this.name = element("a", "", "name");
    this.hand = element("span", "", "hand");
    this.state = element("span", "", "state");
    this.lesson = element("span", "", "lesson");
    this.headline = element("p", "", "headline");
    this.time = element("span", "", "time");
    this.time.title = "Without progress";
    this.facts = element("span", "", "facts");
    const message = button("Message", () => board.message(this.row));
    message.className = "message";
    this.message = message;
    const head = element("h3", "");
    head.append(this.name);
    const standing = element("p", "", "standing");
    standing.append(this.state, " ", this.lesson);
    const foot = element("p", "", "tile-foot");
    const buttons = element("span", "", "tile-buttons");
    buttons.append(this.hand, message);
    foot.append(this.time, this.facts, buttons);
    this.item.append(head, standing, this.headline, foot);
    this.update(row, now);
  }

  update(row, now) {
    this.row = row;
    const { item, board } = this;
    Object.assign(item.dataset, { id: row.id, state: row.state, version: row.version });
    item.classList.toggle("away", !row.connected);
    if (this.shown !== `${row.number} ${row.name}`) {
      this.shown = `${row.number} ${row.name}`;
      this.name.replaceChildren(...nameParts(row));
    }
    this.name.href = board.page(row, row.lesson);
    this.state.dataset.state = row.state;
    setText(this.state, STATES[row.state] ?? row.state);
    setText(this.lesson, row.lesson ? board.titleOf(row.lesson) : "no lesson yet");
    setText(this.headline, row.state === "red" ? row.headline : "");
    const hints = row.hints ? `${row.hints} hint${row.hints === 1 ? "" : "s"}` : "";
    setText(this.facts, [hints, row.connected ? "" : "offline"].filter(Boolean).join(" · "));
    this.showHand();
    this.showTime(now);
  }

  showHand() {
    const isRaised = this.row.handAt !== null;
    this.item.classList.toggle("raised", isRaised);
    if (isRaised === Boolean(this.hand.firstChild)) return;
    const lower = () => this.board.lowerHand(this.row);
    this.hand.replaceChildren(...(isRaised ? [button("Lower hand", lower)] : []));
    if (isRaised) this.hand.firstChild.title = "This student asks for help";
  }

  showTime(now) {
    const { row } = this;
    const isWaiting = row.state === "red" || row.state === "new";
    setText(this.time, isWaiting ? duration(secondsWithoutProgress(row, now)) : "");
    this.item.classList.toggle("stuck", isStuck(row, now));
    const label = `Message to ${shownName(row)}`;
    if (this.message.getAttribute("aria-label") !== label) this.message.setAttribute("aria-label", label);
  }
}
