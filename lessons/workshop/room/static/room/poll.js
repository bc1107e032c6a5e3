// The poll of the class: the question, how many have voted, a chart of the answers, then the answer.
// While students vote, the votes are hidden: on a projector they would show the class what to answer.

import { button, byId, element } from "../lessons/common/dom.js";
import { fetchJson } from "../lessons/common/server.js";
import { Diagram } from "../lessons/diagram/diagram.js";
import { Transcript } from "../lessons/diagram/transcript.js";
import { chartOf } from "./poll_chart.js";

const STATES = { open: "open", closed: "closed: now they discuss", shown: "the answer" };
// The actions that each state offers, the next one first.
const ACTIONS = {
  open: [["close", "Close"]],
  closed: [["again", "Vote again"], ["show", "Show the answer"]],
  shown: [["end", "End the poll"], ["again", "Vote again"]],
};

const roundOf = ({ id, round }) => `${id} ${round}`;

export class Poll {
  constructor(room) {
    Object.assign(this, room); // act, state, url, titleOf
    this.box = byId("poll");
    this.diagram = null;
    this.votesShownIn = null; // the round in which the instructor shows the votes before it closes
  }

  // Draws the poll that the room has now.
  async show() {
    const { poll } = this.state;
    this.box.hidden = !poll;
    if (!poll) return;
    this.showHead(poll);
    try {
      const question = await this.load(poll);
      if (this.state.poll?.id === poll.id) this.draw(this.state.poll, question);
    } catch (error) {
      byId("poll-result").replaceChildren(element("p", error.message, "error"));
    }
  }

  showHead(poll) {
    byId("poll-title").textContent = `Poll: lesson ${this.titleOf(poll.lesson)}, question ${poll.question}`;
    const votes = Object.values(poll.rounds.at(-1)).reduce((sum, count) => sum + count, 0);
    const round = poll.round > 1 ? `round ${poll.round}, ` : "";
    byId("poll-state").textContent = `${round}${STATES[poll.state]} · ${votes} of ${poll.students} have voted`;
    const key = `${roundOf(poll)} ${poll.state}`;
    if (this.headKey === key) return;
    this.headKey = key;
    const actions = [...ACTIONS[poll.state]];
    if (poll.state !== "shown") actions.push(["end", "End the poll"]);
    const hadFocus = byId("poll-actions").contains(document.activeElement);
    byId("poll-actions").replaceChildren(...actions.map(([action, text]) => this.action(action, text)));
    byId("poll-actions").firstChild.classList.add("primary");
    if (poll.state === "open") byId("poll-actions").append(this.votesButton(poll));
    if (hadFocus) byId("poll-actions").firstChild.focus();
  }

  hidesVotes(poll) {
    return poll.state === "open" && this.votesShownIn !== roundOf(poll);
  }

  votesButton(poll) {
    const made = button("Show the votes", () => {
      this.votesShownIn = this.hidesVotes(poll) ? roundOf(poll) : null;
      made.setAttribute("aria-pressed", !this.hidesVotes(poll));
      this.show();
    });
    made.setAttribute("aria-pressed", !this.hidesVotes(poll));
    return made;
  }

  action(action, text) {
    return button(text, () => this.act({ type: "poll", action }, ""));
  }

  // The question. Once its answer is shown, with whether each answer is right.
  load(poll) {
    const isShown = poll.state === "shown";
    const key = `${poll.id} ${isShown} ${isShown && JSON.stringify(poll.rounds)}`;
    if (this.key !== key) {
      Object.assign(this, { key, question: fetchJson(`${this.url}?poll=${poll.id}`) });
      this.question.catch(() => (this.key = null)); // the next frame tries again
    }
    return this.question;
  }

  draw(poll, question) {
    if (this.drawn !== poll.id) {
      this.drawn = poll.id;
      const text = byId("poll-question");
      text.innerHTML = question.question; // the course's text, which the server has rendered
      text.append(element("p", question.steps.join(" · "), "steps-played"));
    }
    const isShown = poll.state === "shown";
    const rounds = this.hidesVotes(poll) ? [] : poll.rounds;
    byId("poll-result").replaceChildren(chartOf({ rounds }, question, isShown));
    byId("poll-because").hidden = byId("poll-diagram").hidden = !isShown;
    if (isShown && this.diagramOf !== poll.id) this.drawDiagram(poll, question);
  }

  drawDiagram(poll, { because, recording }) {
    this.diagramOf = poll.id;
    byId("poll-because").innerHTML = because; // as above
    this.diagram ??= new Diagram(byId("poll-diagram"), { label: "What really happens, as a diagram" });
    this.diagram.show(Transcript.from(recording));
  }
}
