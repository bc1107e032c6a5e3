// The question that the class answers: how many have voted, a chart of the answers, then what is
// right. While students vote, the votes are hidden: they would show the class what to answer.

import { button, byId, element, setText } from "../lessons/common/dom.js";
import { fetchJson } from "../lessons/common/server.js";
import { Diagram } from "../lessons/diagram/diagram.js";
import { Transcript } from "../lessons/diagram/transcript.js";
import { chartOf, optionsChart } from "./poll_chart.js";

const STATES = { open: "open", closed: "closed: now they discuss", shown: "the answer" };
// The actions that each state offers, the next one first.
const ACTIONS = {
  open: [["close", "Close"], ["end", "End the question"]],
  closed: [["again", "Vote again"], ["show", "Show the answer"], ["end", "End the question"]],
  shown: [["end", "End the question"], ["again", "Vote again"]],
};

const roundOf = ({ id, round }) => `${id} ${round}`;

export class Poll {
  votesShownIn = null; // the round in which the instructor shows the votes before it closes

  constructor(act, url) {
    Object.assign(this, { act, url, box: byId("poll"), diagram: null });
  }

  async show(poll) {
    this.poll = poll;
    this.box.hidden = !poll;
    if (!poll) return;
    this.showHead(poll);
    const rounds = this.hidesVotes(poll) ? [] : poll.rounds;
    byId("poll-because").hidden = byId("poll-diagram").hidden = true;
    if (!poll.lesson) {
      byId("poll-result").replaceChildren(optionsChart(poll.options, rounds));
      return;
    }
    await this.showAnswer(poll, rounds);
  }

  // What really happens in a lesson's question is played, which takes some seconds.
  async showAnswer(poll, rounds) {
    const key = `${poll.id} ${poll.state === "shown" && JSON.stringify(poll.rounds)}`;
    if (this.key !== key) {
      if (this.key?.split(" ")[0] !== String(poll.id)) byId("poll-result").replaceChildren(element("p", "Loading…", "quiet"));
      Object.assign(this, { key, answer: fetchJson(this.url) });
      this.answer.catch(() => (this.key = null)); // the next frame tries again
    }
    try {
      const answer = await this.answer;
      if (this.poll !== poll) return; // a later state is shown
      const isShown = poll.state === "shown";
      byId("poll-result").replaceChildren(chartOf({ rounds }, answer, isShown));
      byId("poll-because").hidden = byId("poll-diagram").hidden = !isShown;
      if (isShown && this.diagramOf !== poll.id) this.drawDiagram(poll, answer);
    } catch (error) {
      byId("poll-result").replaceChildren(element("p", error.message, "error"));
    }
  }

  showHead(poll) {
    setText(byId("poll-title"), poll.lesson ? `Lesson ${poll.lesson}, question ${poll.question}` : "Question");
    const text = byId("poll-question");
    if (text.dataset.poll !== String(poll.id)) {
      text.dataset.poll = poll.id;
      if (poll.lesson) text.innerHTML = poll.text; // the course's text, which the server has rendered
      else text.textContent = poll.text;
    }
    const round = poll.round > 1 ? `round ${poll.round}, ` : "";
    setText(byId("poll-state"), `${round}${STATES[poll.state]} · ${poll.votes} of ${poll.students} have voted`);
    const key = `${roundOf(poll)} ${poll.state}`;
    if (this.headKey === key) return;
    this.headKey = key;
    const box = byId("poll-actions");
    const hadFocus = box.contains(document.activeElement);
    box.replaceChildren(...ACTIONS[poll.state].map(([action, name]) => button(name, () => this.act({ type: "poll", action }, ""))));
    box.firstChild.classList.add("primary");
    if (poll.state === "open") box.append(this.votesButton());
    if (hadFocus) box.firstChild.focus();
  }

  hidesVotes(poll) {
    return poll.state === "open" && this.votesShownIn !== roundOf(poll);
  }

  votesButton() {
    const made = button("Show the votes", () => {
      this.votesShownIn = this.hidesVotes(this.poll) ? roundOf(this.poll) : null;
      made.setAttribute("aria-pressed", !this.hidesVotes(this.poll));
      this.show(this.poll);
    });
    made.setAttribute("aria-pressed", !this.hidesVotes(this.poll));
    return made;
  }

  drawDiagram(poll, { because, recording }) {
    this.diagramOf = poll.id;
    byId("poll-because").innerHTML = because; // as above
    this.diagram ??= new Diagram(byId("poll-diagram"), { label: "What really happens, as a diagram" });
    this.diagram.show(Transcript.from(recording));
  }
}
