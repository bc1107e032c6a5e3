// The lesson's questions: what is predicted is sent, and the recorded run says what is right.

import { element } from "../common/dom.js";
import { fetchJson, playUrl } from "../common/server.js";
import { Diagram } from "../diagram/diagram.js";
import { Transcript } from "../diagram/transcript.js";

class Question {
  constructor(section, feed) {
    this.section = section;
    this.feed = feed;
    this.url = section.dataset.url;
    this.said = section.querySelector(".status");
    this.because = section.querySelector(".explanation");
    this.begin = section.querySelector(".start");
    this.begin.hidden = false;
    this.begin.onclick = () => this.attempt(() => this.start());
  }

  async start() {
    this.begin.disabled = true;
    const asked = await fetchJson(playUrl(this.url, this.feed));
    const box = this.section.querySelector(".answer");
    const Kind = await kindOf(asked);
    this.answer = new Kind(box, asked, (text) => this.say(text));
    const check = element("button", "Check");
    check.type = "button";
    check.onclick = () => this.attempt(() => this.check());
    box.append(check);
    this.begin.hidden = true;
    this.answer.focus();
  }

  async check() {
    const told = await fetchJson(playUrl(`${this.url}answer/`, this.feed, this.answer.given()));
    this.answer.mark(told);
    this.say(told.is_right ? "Right. This is what crossed:" : this.answer.wrong(told));
    this.because.hidden = false;
    this.diagram ??= new Diagram(this.because.querySelector(".answer-diagram"), {
      label: "What crossed, as a diagram",
    });
    this.diagram.show(Transcript.from(told.recording));
  }

  async attempt(action) {
    try {
      await action();
    } catch (error) {
      this.begin.disabled = false;
      this.say(error.message);
    }
  }

  say(text) {
    this.said.textContent = text;
  }
}

// Loaded once there is a question to answer: most visits have none.
async function kindOf({ kind }) {
  const { EventOrder, Receivers } = await import("./answers.js");
  return kind === "order" ? EventOrder : Receivers;
}

const predict = document.getElementById("predict");
if (predict?.dataset.feed) {
  for (const section of predict.querySelectorAll(".question")) {
    new Question(section, predict.dataset.feed);
  }
}
