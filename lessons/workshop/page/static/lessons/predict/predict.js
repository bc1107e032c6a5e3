// The lesson's questions: sends the student's prediction, and shows the recording that answers it.

import { button, byId } from "../common/dom.js";
import { fetchJson, playUrl } from "../common/server.js";
import { Diagram } from "../diagram/diagram.js";
import { Transcript } from "../diagram/transcript.js";

// Starts a question: shows its cards, or its table.
export function ask(section, feed) {
  const question = new Question(section, feed);
  return question.attempt(() => question.start());
}

class Question {
  constructor(section, feed) {
    Object.assign(this, { section, feed, url: section.dataset.url });
    this.status = section.querySelector(".status");
    this.explanation = section.querySelector(".explanation");
    this.startButton = section.querySelector(".start");
  }

  async start() {
    this.startButton.disabled = true;
    const question = await fetchJson(playUrl(this.url, this.feed));
    const { EventOrder, Receivers } = await import("./answers.js");
    const Answer = question.kind === "order" ? EventOrder : Receivers;
    const box = this.section.querySelector(".answer");
    this.answer = new Answer(box, question, (text) => this.say(text));
    box.append(button("Check", () => this.attempt(() => this.check())));
    if (byId("class-bar")) (await import("./vote.js")).offerVote(this);
    this.startButton.hidden = true;
    this.answer.focus();
  }

  async check() {
    const result = await fetchJson(playUrl(`${this.url}answer/`, this.feed, this.answer.parameters()));
    this.answer.mark(result);
    this.say(result.is_right ? "Right. These are the events:" : this.answer.summary(result));
    this.explanation.hidden = false;
    this.diagram ??= new Diagram(this.explanation.querySelector(".answer-diagram"), {
      label: "The events, as a diagram",
    });
    this.diagram.show(Transcript.from(result.recording));
  }

  async attempt(action) {
    try {
      await action();
    } catch (error) {
      this.startButton.disabled = false;
      this.say(error.message);
    }
  }

  say(text) {
    this.status.textContent = text;
  }
}
