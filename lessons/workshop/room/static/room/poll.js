// The question that the class answers: how many have voted, a chart of the answers, then what is
// right. While students vote, the votes are hidden: they would show the class what to answer.

import { fetchJson } from "../lessons/common/server.js";
import { Diagram } from "../lessons/diagram/diagram.js";
import { Transcript } from "../lessons/diagram/transcript.js";
import { effect, html, signal, useEffect, useRef } from "../lessons/vendor/preact.js";
import { frequentOrders, letterOf, lettersOf, sum, ticks, votesOf } from "./poll_answers.js";
import { act, page, room, titleOf } from "./store.js";

const STATES = { open: "open", closed: "closed: now they discuss", shown: "the answer" };
// The actions that each state offers, the next one first.
const ACTIONS = {
  open: [["close", "Close"], ["end", "End the question"]],
  closed: [["again", "Vote again"], ["show", "Show the answer"], ["end", "End the question"]],
  shown: [["end", "End the question"], ["again", "Vote again"]],
};
// A question that the instructor wrote has no right answer.
const actionsOf = ({ state, lesson }) => ACTIONS[state].filter(([action]) => lesson || action !== "show");

const played = signal({ key: "" }); // what really happens in a lesson's question, or an error

const keyOf = (poll) => `${poll.id} ${poll.state === "shown" ? JSON.stringify(poll.rounds) : ""}`;

// What really happens is played by the room, which takes some seconds. What an earlier state of the
// same poll has loaded stays in view until then.
let loading = "";

export function loadAnswers() {
  effect(() => {
    const poll = room.value?.poll;
    if (!poll?.lesson || loading === keyOf(poll)) return;
    const key = (loading = keyOf(poll));
    const take = (value) => loading === key && (played.value = { id: poll.id, isShown: poll.state === "shown", ...value });
    fetchJson(page.answer).then(
      (answer) => take({ answer }),
      (error) => {
        take({ error });
        loading = ""; // the next state of the class tries again
      },
    );
  });
}

export function Poll() {
  const { poll } = room.value;
  if (!poll) return null;
  const rounds = (poll.state === "open" ? [] : poll.rounds).map(votesOf);
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
    ${poll.lesson ? html`<${LessonAnswer} poll=${poll} rounds=${rounds} />` : html`<${Options} options=${poll.options} rounds=${rounds} />`}
  </section>`;
}

// The text of a lesson's question is the course's: the server has rendered it.
export function Question({ poll }) {
  if (poll.lesson) return html`<div class="poll-question" dangerouslySetInnerHTML=${{ __html: poll.text }} />`;
  return html`<div class="poll-question">${poll.text}</div>`;
}

function LessonAnswer({ poll, rounds }) {
  const { id, error, answer, isShown } = played.value;
  if (id !== poll.id) return html`<p class="quiet">Loading…</p>`;
  if (error) return html`<p class="error">${error.message}</p>`;
  const marks = poll.state === "shown" && isShown;
  const Chart = answer.kind === "receives" ? Receivers : Orders;
  return html`<${Chart} ...${answer} rounds=${rounds} isShown=${marks} />
    ${marks && html`<div class="poll-because" id="poll-because" dangerouslySetInnerHTML=${{ __html: answer.because }} />
      <${Events} key=${id} recording=${answer.recording} />`}`;
}

function Events({ recording }) {
  const box = useRef();
  useEffect(() => {
    new Diagram(box.current, { label: "What really happens, as a diagram" }).show(Transcript.from(recording));
  }, []);
  return html`<div class="scroll poll-diagram" id="poll-diagram" ref=${box} />`;
}

// Charts. `rounds` have the votes of each round as a Map; without rounds a chart shows what one can
// answer. There is a bar for each round, so that one sees what the discussion has changed.

const totalsOf = (rounds) => rounds.map((votes) => sum([...votes.values()]));

export function Options({ options, rounds }) {
  if (!rounds.length) return html`<p class="options">${options.join(" · ")}</p>`;
  return html`<${Chart}>${options.map((option) => html`<tr>
    <th scope="row">${option}</th>
    <td><${Bars} values=${rounds.map((votes) => votes.get(option) ?? 0)} totals=${totalsOf(rounds)} /></td>
  </tr>`)}<//>`;
}

function Receivers({ cards, clients, received, rounds, isShown }) {
  const counted = rounds.map(ticks);
  const head = ["What is sent", ...clients.map((client) => (clients.length > 1 ? `client ${client}` : "arrives"))];
  const cell = (tick) => html`<${Cell} isShown=${isShown} isRight=${received.includes(tick)}
    values=${counted.map((votes) => votes.get(tick) ?? 0)} totals=${totalsOf(rounds)} />`;
  return html`<${Chart} head=${head}>${cards.map((label, number) => html`<tr>
    <th scope="row"><code>${label}</code></th>
    ${clients.map((client) => cell(`${client}:${number}`))}
  </tr>`)}<//>`;
}

function Orders({ cards, letters, grades, rounds, isShown }) {
  const { shown, rest } = rounds.length ? frequentOrders(rounds) : { shown: [], rest: [] };
  const totals = totalsOf(rounds);
  return html`<div class="order-chart">
    <ul class="cards-legend">${letters.map((card) => html`<li><b>${letterOf(card, letters)}</b> <code>${cards[card]}</code></li>`)}</ul>
    ${shown.length > 0 && html`<${Chart} head=${["Order", "Votes"]}>
      ${shown.map((one) => html`<tr><th scope="row">${lettersOf(one, letters)}</th>
        <${Cell} isShown=${isShown} isRight=${grades[one] === true} values=${rounds.map((votes) => votes.get(one) ?? 0)} totals=${totals} /></tr>`)}
      ${sum(rest) > 0 && html`<tr><th scope="row">other orders</th><td><${Bars} values=${rest} totals=${totals} /></td></tr>`}
    <//>`}
  </div>`;
}

function Chart({ head, children }) {
  return html`<div class="scroll"><table class="chart">
    ${head && html`<thead><tr>${head.map((text) => html`<th scope="col">${text}</th>`)}</tr></thead>`}
    <tbody>${children}</tbody>
  </table></div>`;
}

function Cell({ isShown, isRight, values, totals }) {
  if (!isShown) return html`<td><${Bars} values=${values} totals=${totals} /></td>`;
  return html`<td data-right=${isRight}>
    <span class="sign" role="img" aria-label=${isRight ? "right" : "wrong"}>${isRight ? "✓" : "✗"}</span>
    <${Bars} values=${values} totals=${totals} />
  </td>`;
}

function Bars({ values, totals }) {
  return values.map((value, index) => {
    const share = totals[index] ? value / totals[index] : 0;
    return html`<span class="bar">
      ${values.length > 1 && html`<span class="round">Round ${index + 1}</span>`}
      <span class="fill" style=${{ "--share": share }}></span><span class="count">${value} · ${Math.round(share * 100)} %</span>
    </span>`;
  });
}
