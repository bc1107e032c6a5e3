// The question that the class answers: how many have voted, a chart of the answers, then what is
// right. While students vote, the votes are hidden: they would show the class what to answer.

import { Diagram } from "../lessons/diagram/diagram.js";
import { Transcript } from "../lessons/diagram/transcript.js";
import { html, useEffect, useRef } from "../lessons/vendor/preact.js";
import { act, room, titleOf } from "./store.js";

const STATES = { open: "open", closed: "closed: now they discuss", shown: "the answer" };
// The actions that each state offers, the next one first.
const ACTIONS = {
  open: [["close", "Close the vote"], ["end", "End the question"]],
  closed: [["again", "Vote again"], ["show", "Show the answer"], ["end", "End the question"]],
  shown: [["end", "End the question"], ["again", "Vote again"]],
};
// A question that the instructor wrote has no right answer.
const actionsOf = ({ state, lesson }) => ACTIONS[state].filter(([action]) => lesson || action !== "show");

export function Poll() {
  const { poll } = room.value;
  if (!poll) return null;
  const round = poll.round > 1 ? `round ${poll.round}, ` : "";
  return html`<section class="poll" id="poll" aria-labelledby="poll-title">
    <header>
      <h2 id="poll-title">${poll.lesson ? `Lesson ${titleOf(poll.lesson)}, question ${poll.question}` : "Question"}</h2>
      <span class="poll-state" id="poll-state" role="status">
        ${`${round}${STATES[poll.state]} · ${poll.votes} of ${poll.students} have voted`}
      </span>
      <span class="poll-actions">
        ${actionsOf(poll).map(([action, name], index) => html`<button type="button" class=${index ? "" : "primary"}
          onClick=${() => act({ type: "poll", action })}>${name}</button>`)}
      </span>
    </header>
    <${Question} poll=${poll} />
    <${Answer} poll=${poll} />
  </section>`;
}

// The text of a lesson's question is the course's: the server has rendered it.
export function Question({ poll }) {
  if (poll.lesson) return html`<div class="poll-question" dangerouslySetInnerHTML=${{ __html: poll.text }} />`;
  return html`<div class="poll-question own">${poll.text}</div>`;
}

function Answer({ poll: { id, error, chart, because, recording } }) {
  if (error) return html`<p class="error">${error}</p>`;
  return html`<${Chart} chart=${chart} />
    ${because && html`<div class="poll-because" id="poll-because" dangerouslySetInnerHTML=${{ __html: because }} />
      <${Events} key=${id} recording=${recording} />`}`;
}

// The server has counted the answers and drawn the chart.
export function Chart({ chart }) {
  return html`<div dangerouslySetInnerHTML=${{ __html: chart }} />`;
}

function Events({ recording }) {
  const box = useRef();
  useEffect(() => {
    new Diagram(box.current, { label: "What really happens, as a diagram" }).show(Transcript.from(recording));
  }, []);
  return html`<div class="scroll poll-diagram" id="poll-diagram" ref=${box} />`;
}
