// The bar of a workshop that has joined a class: the connection, the hand, messages, the timer, the
// question of the class, and the place that the instructor points at.

import { effect, html, render, useEffect, useRef, useSignal } from "../vendor/preact.js";
import { byId } from "./dom.js";
import { schoolClass, tell } from "./socket.js";

function stageOf({ round, state, voted }) {
  const stage = { open: voted === null ? "vote now" : "you have voted", closed: "closed", shown: "the answer is shown" }[state];
  return round > 1 ? `round ${round}, ${stage}` : stage;
}

// Sends an answer to the question of the class, of now: a text.
export function vote(answer) {
  const { poll } = schoolClass.value ?? {};
  if (poll) tell({ type: "vote", poll: poll.id, round: poll.round, answer });
}

function Bar() {
  const found = schoolClass.value;
  if (!found) return null;
  const { link, is_connected: isConnected, poll, look } = found;
  return html`
    <section class="class-bar" id="class-bar" aria-label="Your class">
      <strong class="class-name">${found.class}</strong>
      <span class="class-link" role="status" data-connected=${isConnected ? "" : null}>${link}</span>
      <${Timer} timer=${found.timer} />
      <span aria-live="polite">${look && html`<a class="class-look" href=${look.url}>Look here: ${look.text}</a>`}</span>
      <span aria-live="polite">${poll?.url && html`<a class="class-poll" href=${poll.url}>${poll.text} (${stageOf(poll)})</a>`}</span>
      ${poll && !poll.url && html`<${Ask} poll=${poll} isConnected=${isConnected} />`}
      <${Hand} isRaised=${found.hand} isConnected=${isConnected} />
    </section>
    ${found.messages.length > 0 && html`<${Messages} messages=${found.messages} />`}`;
}

function Timer({ timer }) {
  const ends = useRef(0);
  const left = useSignal(0);
  useEffect(() => {
    ends.current = timer ? performance.now() + 1000 * timer.seconds : 0;
    const tick = () => (left.value = Math.max(0, Math.ceil((ends.current - performance.now()) / 1000)));
    tick();
    const clock = setInterval(tick, 250);
    return () => clearInterval(clock);
  }, [timer]);
  if (!timer) return null;
  const time = `${Math.floor(left.value / 60)}:${String(left.value % 60).padStart(2, "0")}`;
  const text = [timer.is_break && "Break", time, timer.label].filter(Boolean).join(" ");
  return html`<span class="class-timer" role="timer" data-break=${timer.is_break ? "" : null}>${text}</span>`;
}

function Ask({ poll, isConnected }) {
  const isOpen = isConnected && poll.state === "open";
  return html`
    <span class="class-ask" role="group" aria-label="Question to the class" aria-live="polite">
      <span>${poll.text}</span>
      ${poll.options.map((option) => html`
        <button type="button" disabled=${!isOpen || poll.voted !== null} aria-pressed=${poll.voted === option}
          onClick=${() => vote(option)}>${option}</button>`)}
      <span class="quiet">${isOpen ? "" : stageOf(poll)}</span>
    </span>`;
}

// Raises the hand, with a sentence if the student writes one, and lowers it again.
function Hand({ isRaised, isConnected }) {
  const send = (event) => {
    event.preventDefault();
    if (!isConnected) return;
    tell({ type: "hand", text: isRaised ? null : new FormData(event.target).get("text") });
    event.target.reset();
    event.target.querySelector("button").focus(); // the field goes
  };
  return html`
    <form class="class-hand" onSubmit=${send}>
      ${!isRaised && html`<input name="text" aria-label="What do you need?" placeholder="What do you need?" maxlength="200" autocomplete="off" />`}
      <button aria-disabled=${!isConnected}>${isRaised ? "Lower your hand" : "Raise your hand"}</button>
    </form>`;
}

function Messages({ messages }) {
  const dismiss = () => tell({ type: "dismiss", id: messages.at(-1).id });
  return html`
    <section class="class-message" id="class-message" aria-label="From your instructor" aria-live="polite">
      <div>${messages.map(({ id, text }) => html`<p key=${id}>${text}</p>`)}</div>
      <button type="button" onClick=${dismiss}>Dismiss</button>
    </section>`;
}

// Opens the place when the instructor points at it. Over text that is not saved it opens nothing: the
// link stays in the bar, and the browser asks before it follows the link.
let lastLook = null; // the id of the place that was announced last; null before the first news
effect(() => {
  if (!schoolClass.value) return;
  const { look } = schoolClass.value;
  const isNews = lastLook !== null && (look?.id ?? 0) > lastLook;
  lastLook = Math.max(lastLook ?? 0, look?.id ?? 0);
  if (isNews && !document.querySelector("#editor[data-changed]") && document.visibilityState === "visible") location.assign(look.url);
});

function report() {
  const lesson = /^\/lessons\/([^/]+)\/$/.exec(location.pathname)?.[1];
  if (lesson && document.visibilityState === "visible") tell({ type: "reading", lesson });
}

const box = byId("class-place");
if (box) {
  render(html`<${Bar} />`, box);
  new ResizeObserver(() => document.documentElement.style.setProperty("--class-bar", `${box.offsetHeight}px`)).observe(box);
  addEventListener("visibilitychange", report);
  let was = null;
  effect(() => {
    const { class: name = "", is_connected: isConnected = false } = schoolClass.value ?? {};
    if (isConnected && name !== was) report();
    was = isConnected ? name : null;
  });
}
