// The student's exercise: each save brings a verdict, rendered by the server as at the first time.

import { byId } from "../common/dom.js";
import { updateFocusableScroll } from "../common/keyboard.js";
import { ReconnectingSocket, socketUrl } from "../common/server.js";

const PART = { headers: { "X-Part": "exercise" }, cache: "no-store" };

class Exercise {
  constructor(section) {
    this.section = section;
    this.part = byId("verdict");
    this.last = 0; // number of the latest request: an answer to an earlier one comes too late
    section.addEventListener("submit", (event) => this.post(event));
    const url = socketUrl(location.host, section.dataset.socket);
    new ReconnectingSocket(url, (standing) => this.take(standing)).ready().catch(() => {});
  }

  // How things stand; told anew whenever the socket opens.
  take({ mark, judging, judge, source }) {
    this.section.toggleAttribute("data-judging", judging);
    if (judging) this.tell("");
    byId("no-judge").hidden = judge;
    byId("source-old").hidden = source === null || source === this.section.dataset.source;
    if (mark !== this.part.firstElementChild.dataset.mark) this.load(this.section.dataset.part);
  }

  post(event) {
    event.preventDefault();
    const { action } = event.target;
    this.load(action, { method: "POST", body: new FormData(event.target) });
  }

  // Puts what the server answers in the place of what is shown.
  async load(url, options = {}) {
    const number = ++this.last;
    const answer = await fetch(url, { ...PART, ...options }).catch(() => null);
    if (answer?.ok) {
      const text = await answer.text();
      if (number === this.last) this.show(text);
    } else if (options.body) {
      // Away, or it no longer takes this form's token: who logs in elsewhere has a new one.
      if (answer) await this.load(this.section.dataset.part);
      this.complain("That has not reached the workshop. Try again in a moment.");
    }
  }

  show(text) {
    const hints = this.hints().length;
    const open = [...this.part.querySelectorAll("details[open]")].map(({ id }) => id);
    const focused = this.part.contains(document.activeElement) && document.activeElement;
    this.part.innerHTML = text; // the server's own rendering, as at the first time
    for (const id of open) byId(id)?.setAttribute("open", "");
    if (focused) (byId(focused.id) ?? byId("exercise-title")).focus({ preventScroll: true });
    updateFocusableScroll();
    this.tell(this.words(this.hints().length > hints));
  }

  // What has changed, in few words.
  words(hasNewHint) {
    if (hasNewHint) return this.hints().at(-1).innerText;
    const trouble = this.part.querySelector("[data-told]");
    return trouble ? trouble.textContent : this.verdict();
  }

  complain(words) {
    const notice = document.createElement("p");
    notice.className = "notice";
    notice.textContent = words;
    this.part.firstElementChild.append(notice);
    this.tell(words);
  }

  tell(words) {
    byId("told").textContent = words;
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
