// The lesson's questions. The student answers, and the recording that answers them plays in the picture.

import { computed, effect, html, signal, useEffect, useRef } from "../vendor/preact.js";
import { schoolClass } from "../common/socket.js";
import { vote } from "../common/class_bar.js";
import { announcement, page, play, saved, showSaved, sourceOf, step } from "./store.js";

const LABEL = /^(client|consumer|layer|database)( \d+)? ([→←·]) (.*)$/;
const SENT = "You have voted. Your instructor shows the answer later.";
const WAIT = "Your class answers this question together. Your instructor shows the answer.";

export const current = signal(Math.min(Number(/^#question-(\d+)$/.exec(location.hash)?.[1] ?? 1), page.questions.length || 1));
const answers = signal({}); // number of a question → {kind, cards, clients, order, ticked, marks, result, say}
const of = (number) => answers.value[number];
const set = (number, change) => (answers.value = { ...answers.value, [number]: { ...of(number), ...change } });
const LINE = "line"; // what stands between the cards that come and those that never come

async function attempt(number, action) {
  try {
    await action();
  } catch (error) {
    set(number, { say: error.message });
  }
}

const begin = (number) => attempt(number, async () => {
  const found = await play(`predict/${number}`);
  const order = [...found.cards.keys(), ...(found.decoys ? [LINE] : [])];
  set(number, { ...found, order, ticked: new Set(), marks: null, say: "" });
});

// The answer as parameters: [name, value] for each card, or for each tick.
function parametersOf({ kind, order, ticked }) {
  if (kind !== "order") {
    if (!ticked.size) throw new Error("Nothing is ticked yet. Something arrives: tick what.");
    return [...ticked].map((box) => ["given", box]);
  }
  const line = order.includes(LINE) ? order.indexOf(LINE) : order.length;
  return order.flatMap((card, place) => (card === LINE ? [] : [[place < line ? "given" : "never", card]]));
}

const check = (number) => attempt(number, async () => {
  const answer = of(number);
  const result = await play(`predict/${number}/answer`, parametersOf(answer));
  set(number, { marks: result, source: await sourceOf(result.target), say: result.is_right ? "Right." : result.say });
});

// The picture shows what happens in this question, if the answer is checked, and nothing else.
const marks = computed(() => of(current.value)?.marks ?? null);
effect(() => {
  const isHere = step.value === "predict";
  if (isHere && marks.value) {
    const title = marks.value.is_right ? "Right. This happens:" : "This is what happens:";
    const { recording, target } = marks.value;
    const { source } = of(current.value);
    const { steps, words } = page.questions[current.value - 1];
    showSaved(recording, { kind: "answer", target, title, source, steps, words, plays: true });
  } else if (isHere || saved.peek()?.kind === "answer") saved.value = null;
});

export function Predict() {
  const number = current.value;
  const question = page.questions[number - 1];
  if (!question) return null;
  const answer = of(number);
  const poll = schoolClass.value?.poll;
  const isAsked = poll?.question === `${page.base}predict/${number}/` && poll.state !== "shown";
  return html`
    <section class="question" id="question-${number}" aria-labelledby="question-title">
      <p class="eyebrow">What will happen? Question ${number} of ${page.questions.length}. Answer before you read: a guess is enough.</p>
      <h2 id="question-title" class="visually-hidden">Question ${number}</h2>
      <div class="asked" dangerouslySetInnerHTML=${{ __html: question.html }} />
      <p class="steps-played quiet">This is played: ${question.words}.</p>
      <p class="status" aria-live="polite">${answer?.say}</p>
      ${answer?.marks && html`<${Answered} number=${number} because=${question.because} />`}
      ${!answer?.cards ? html`
        <button type="button" class="start primary" onClick=${() => begin(number)}>${question.kind === "order" ? "Put the events in order" : "Tick what arrives"}</button>`
      : html`
        <div class="answer">
          ${answer.kind === "order" ? html`<${Cards} number=${number} />` : html`<${Ticks} number=${number} />`}
          ${isAsked ? html`<${Vote} number=${number} poll=${poll} />`
            : !answer.marks && html`<button type="button" class="primary" onClick=${() => check(number)}>Check</button>`}
        </div>`}
    </section>`;
}

// Above the cards, so that the explanation and the next question are in sight beside the picture.
function Answered({ number, because }) {
  const box = useRef(null);
  useEffect(() => box.current.focus(), []);
  const isLast = number === page.questions.length;
  const goOn = () => (isLast ? (step.value = "see") : (current.value = number + 1));
  return html`
    <div class="answered" tabindex="-1" ref=${box}>
      <div class="explanation" dangerouslySetInnerHTML=${{ __html: because }} />
      <button type="button" class="primary" onClick=${goOn}>${isLast ? "See how it works" : "Next question"}</button>
    </div>`;
}

function Vote({ number, poll }) {
  const send = () => attempt(number, () => {
    const parameters = parametersOf(of(number));
    const named = (name) => parameters.filter(([one]) => one === name).map(([, value]) => value).join(" ");
    vote(named("never") ? `${named("given")} | ${named("never")}` : named("given"));
  });
  if (poll.voted !== null) return html`<p>${SENT}</p>`;
  return poll.state === "open" ? html`<button type="button" class="vote primary" onClick=${send}>Send as my vote</button>` : html`<p>${WAIT}</p>`;
}

// Cards to put in order, with buttons or by dragging. Events that never happen belong below a line.
function Cards({ number }) {
  const { cards, order, marks } = of(number);
  const put = (card, place) => {
    const rest = order.filter((one) => one !== card);
    const now = [...rest.slice(0, place), card, ...rest.slice(place)];
    const above = now.includes(LINE) ? now.slice(0, now.indexOf(LINE)) : now;
    const at = above.indexOf(card) + 1;
    set(number, { order: now, marks: null, say: "" });
    announcement.value = at ? `Place ${at} of ${above.length}.` : "Never comes.";
  };
  const dragOver = (event) => {
    const over = event.target.closest("li")?.dataset.card;
    if (dragged === null || over === undefined) return;
    event.preventDefault();
    const place = order.findIndex((one) => String(one) === over);
    if (String(dragged) !== over && place !== lastPlace) put(dragged, place);
    lastPlace = place;
  };
  return html`
    <p class="quiet">First event on top. → goes to the consumer, ← comes from it.</p>
    <ol class="cards" aria-label="Events, the first one on top" onDragOver=${dragOver}>
      ${order.map((card, place) => card === LINE
        ? html`<li key=${LINE} class="never-line" data-card=${LINE}>Below this line: never comes</li>`
        : html`<${Card} key=${card} card=${card} place=${place} label=${cards[card]} right=${marks?.right[card]} put=${put} last=${order.length - 1} />`)}
    </ol>`;
}

let dragged = null; // the card under the pointer
let lastPlace = null;

function Card({ card, place, label, right, put, last }) {
  const [, lane, number = "", arrow, text] = LABEL.exec(label) ?? [null, "", "", "", label];
  const drag = (event) => {
    dragged = card;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", label); // Firefox drags nothing without data
  };
  const button = (sign, name, to) => html`
    <button type="button" aria-label="${name}: ${label}" aria-disabled=${to < 0 || to > last} onClick=${({ currentTarget }) => {
      if (to < 0 || to > last) return;
      put(card, to);
      requestAnimationFrame(() => currentTarget.focus()); // an element that moves in the document loses the focus
    }}>${sign}</button>`;
  return html`
    <li class="card" draggable="true" data-card=${card} data-lane=${lane} data-right=${right} onDragStart=${drag} onDragEnd=${() => (dragged = lastPlace = null)}>
      <span class="sign"><${Sign} right=${right} /></span>
      <code class="lane">${lane}${number}</code><code class="event">${arrow} ${text}</code>
      ${button("↑", "Up", place - 1)}${button("↓", "Down", place + 1)}
    </li>`;
}

function Sign({ right }) {
  if (right === undefined) return null;
  return html`<span role="img" aria-label=${right ? "right" : "wrong"}>${right ? "✓" : "✗"}</span>`;
}

// A table of frames and clients. The student ticks which client receives which frame.
function Ticks({ number }) {
  const { cards, clients, ticked, marks } = of(number);
  const name = (client) => (clients.length > 1 ? `client ${client}` : "arrives");
  const toggle = (box) => {
    const now = new Set(ticked);
    if (!now.delete(box)) now.add(box);
    set(number, { ticked: now, marks: null });
  };
  return html`
    <div class="scroll" tabindex="0" role="group" aria-label="Who receives what"><table class="receivers">
      <thead><tr><th scope="col">what is sent</th>${clients.map((client) => html`<th scope="col">${name(client)}</th>`)}</tr></thead>
      <tbody>${cards.map((label, card) => html`
        <tr><th scope="row"><code>${label}</code></th>${clients.map((client) => {
          const box = `${client}:${card}`;
          const right = marks ? ticked.has(box) === marks.received.includes(box) : undefined;
          return html`<td data-right=${right}><input type="checkbox" aria-label="${name(client)}: ${label}" checked=${ticked.has(box)} onChange=${() => toggle(box)} /> <span class="sign"><${Sign} right=${right} /></span></td>`;
        })}</tr>`)}</tbody>
    </table></div>`;
}
