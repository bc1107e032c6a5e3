// The student's exercise: each save brings a verdict, rendered by the server as at the first time.

import { Lasting, socketUrl } from "./lasting.js";

const byId = (id) => document.getElementById(id);
const PART = { headers: { "X-Part": "exercise" }, cache: "no-store" };

class Exercise {
  constructor(section) {
    this.section = section;
    this.part = byId("verdict");
    this.last = 0; // number of the latest request: an answer to an earlier one comes too late
    section.addEventListener("submit", (event) => this.post(event));
    const url = socketUrl(location.host, section.dataset.socket);
    new Lasting(url, (standing) => this.take(standing)).ready().catch(() => {});
  }

  // How things stand; told anew whenever the socket opens.
  take({ mark, judging, judge, source }) {
    this.section.toggleAttribute("data-judging", judging);
    byId("no-judge").hidden = judge;
    byId("source-old").hidden = source === null || source === this.section.dataset.source;
    if (mark !== this.mark()) this.load(this.section.dataset.part, PART, () => this.verdict());
  }

  mark() {
    return this.part.firstElementChild.dataset.mark;
  }

  async post(event) {
    event.preventDefault();
    const { target } = event;
    const body = new FormData(target);
    const hints = this.hints().length;
    await this.load(target.action, { ...PART, method: "POST", body }, () => {
      const trouble = this.part.querySelector("[data-told]");
      if (trouble) return trouble.textContent;
      return this.hints().length > hints ? this.hints().at(-1).innerText : this.verdict();
    });
  }

  // Puts what the server answers in the place of what is shown, and says it aloud in few words.
  async load(url, options, words) {
    const number = ++this.last;
    try {
      const answer = await fetch(url, options);
      const text = await answer.text();
      if (number !== this.last) return;
      if (!answer.ok) throw new Error(answer.statusText);
      this.show(text);
      byId("told").textContent = words();
    } catch {
      // The server is away, and tells how things stand as soon as it is back.
      byId("told").textContent = options.body ? "The server is away. Try again in a moment." : "";
    }
  }

  show(text) {
    const open = [...this.part.querySelectorAll("details[open]")].map(({ id }) => id);
    const focused = this.part.contains(document.activeElement) && document.activeElement;
    this.part.innerHTML = text; // the server's own rendering, as at the first time
    for (const id of open) byId(id)?.setAttribute("open", "");
    if (focused) (byId(focused.id) ?? byId("exercise-title")).focus({ preventScroll: true });
    dispatchEvent(new Event("resize")); // what overflows is to be reached by keyboard
  }

  hints() {
    return [...this.part.querySelectorAll(".hint")];
  }

  verdict() {
    const state = this.part.querySelector(".state").textContent;
    const found = this.part.querySelector(".finding h3")?.textContent;
    return found ? `${state}: ${found}` : state;
  }
}

new Exercise(byId("exercise"));
