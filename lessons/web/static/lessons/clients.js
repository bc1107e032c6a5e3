// The clients of a lesson's page, one to four, and the feeds of their servers.

import { Card } from "./card.js";
import { Feed } from "./feed.js";

const MOST = 4;

export class Clients {
  // `onBatch(batch, {client, server})` hears what a server has recorded, and of whom.
  constructor(panel, { played, seen, onBatch }) {
    Object.assign(this, { panel, played, seen, onBatch });
    this.feeds = new Map(); // host → Feed
    this.cards = new Map(); // number → Card
    this.list = document.getElementById("clients");
    this.more = document.getElementById("add");
    this.blank = this.list.firstElementChild.cloneNode(true); // as it came, but for whom it is
    for (const option of this.blank.querySelectorAll("[selected]")) option.removeAttribute("selected");
    for (const box of this.list.children) this.begin(box, Number(box.dataset.number));
    if (this.more) this.more.onclick = () => this.add();
    document.getElementById("controls").disabled = false;
  }

  begin(box, number) {
    const page = {
      panel: this.panel,
      played: this.played,
      seen: this.seen,
      feed: (server) => this.feed(server),
      isAlone: () => this.cards.size === 1,
    };
    this.cards.set(number, new Card(box, number, page));
    box.querySelector(".remove").onclick = () => this.remove(number);
  }

  add() {
    const number = [1, 2, 3, 4].find((one) => !this.cards.has(one));
    const box = this.blank.cloneNode(true);
    box.dataset.number = number;
    box.setAttribute("aria-label", `Client ${number}`);
    box.querySelector(".name").textContent = `Client ${number}`;
    box.querySelector(".remove").setAttribute("aria-label", `Remove client ${number}`);
    const after = [...this.list.children].find((one) => one.dataset.number > number);
    this.list.insertBefore(box, after ?? null);
    this.begin(box, number);
    this.count();
    box.querySelector("input[name=path]").focus();
  }

  remove(number) {
    this.cards.get(number).leave();
    this.cards.delete(number);
    this.count();
    this.more.focus();
  }

  count() {
    this.more.disabled = this.cards.size === MOST;
    for (const { box } of this.cards.values()) {
      box.querySelector(".remove").hidden = this.cards.size === 1;
    }
  }

  feed({ host, name }) {
    const { feed: path } = this.panel.dataset;
    const onBatch = (batch) => {
      this.cards.get(batch.client)?.take(batch);
      const client = this.cards.size === 1 ? "" : String(batch.client);
      this.onBatch(batch, { client, server: name });
    };
    if (!this.feeds.has(host)) this.feeds.set(host, new Feed(path, host, { onBatch }));
    return this.feeds.get(host);
  }
}
