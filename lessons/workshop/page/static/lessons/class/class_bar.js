// The bar of a workshop that has joined a class: the connection, the hand, messages, the timer, the
// question of the class, and what the instructor points at. All texts of the room are shown as text. A
// page that was loaded before the workshop joined has the bar, but not its stylesheet.

import { button, byId, element, loadCss, setText } from "../common/dom.js";
import { ReconnectingSocket, socketUrl } from "../common/server.js";

const STYLE = "class/class_bar.css";
const bar = byId("class-bar");
const message = byId("class-message");
const part = (name) => bar.querySelector(`.class-${name}`);
const hand = byId("hand-form");

let socket;
let poll = null;
let timerEnd = null; // milliseconds, as performance.now() counts
let lastLook = null; // the id of the place that was announced last; null before the first news

function update(state) {
  bar.hidden = !state;
  bar.dataset.held = (state?.held ?? []).join(" ");
  dispatchEvent(new Event("class-held"));
  if (!state) {
    message.hidden = hand.hidden = true;
    return;
  }
  setText(part("name"), state.class);
  setText(part("link"), state.link);
  part("link").toggleAttribute("data-connected", state.is_connected);
  showHand(state);
  showMessages(state.messages);
  timerEnd = state.timer && performance.now() + 1000 * state.timer.seconds;
  bar.toggleAttribute("data-break", Boolean(state.timer?.is_break));
  part("timer").dataset.label = state.timer?.label ?? "";
  showTime();
  showPoll(state);
  showLink(part("look"), state.look && `Look here: ${state.look.text}`, state.look);
  follow(state.look);
}

function showHand({ hand: isRaised, is_connected: isConnected }) {
  const raise = part("hand");
  raise.setAttribute("aria-disabled", !isConnected);
  raise.dataset.raised = isRaised;
  setText(raise, isRaised ? "Lower your hand" : "Raise your hand");
  if (!isConnected || isRaised) hand.hidden = true;
}

function showMessages(messages) {
  message.hidden = !messages.length;
  message.dataset.id = messages.at(-1)?.id ?? "";
  const key = JSON.stringify(messages);
  if (message.dataset.shown === key) return; // a screen reader reads a text again when it is set again
  message.dataset.shown = key;
  message.querySelector("div").replaceChildren(...messages.map(({ text }) => element("p", text)));
}

function showTime() {
  const seconds = timerEnd === null ? 0 : Math.ceil((timerEnd - performance.now()) / 1000);
  part("timer").hidden = seconds <= 0;
  if (seconds <= 0) return void bar.removeAttribute("data-break");
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const { label } = part("timer").dataset;
  return void setText(part("timer"), [bar.hasAttribute("data-break") ? "Break" : "", time, label].filter(Boolean).join(" "));
}

// The question of the class. predict/vote.js offers the vote on a question of a lesson.
function showPoll({ poll: found, is_connected: isConnected }) {
  poll = found;
  const isOpen = isConnected && found?.state === "open";
  showLink(part("poll"), found?.url && `${found.text} (${stageOf(found)})`, found?.url ? found : null);
  const ask = part("ask");
  ask.hidden = !found || Boolean(found.url);
  const key = JSON.stringify([found, isOpen]);
  if (!ask.hidden && ask.dataset.shown !== key) {
    ask.dataset.shown = key;
    const answers = found.options.map((option) => answerButton(option, isOpen && found.voted === null));
    ask.replaceChildren(element("span", found.text), ...answers, element("span", isOpen ? "" : stageOf(found), "quiet"));
  }
  bar.dataset.poll = found?.question ?? "";
  bar.dataset.stage = isOpen || found?.state !== "open" ? (found?.state ?? "") : "closed";
  bar.dataset.voted = (found?.voted ?? null) === null ? "no" : "yes";
  dispatchEvent(new Event("class-poll"));
}

function answerButton(option, isOffered) {
  const made = button(option, () => vote({ answer: option }));
  made.disabled = !isOffered;
  made.setAttribute("aria-pressed", poll.voted === option);
  return made;
}

function stageOf({ round, state, voted }) {
  const stage = { open: voted === null ? "vote now" : "you have voted", closed: "closed", shown: "the answer is shown" }[state];
  return round > 1 ? `round ${round}, ${stage}` : stage;
}

function vote(answer) {
  if (poll) socket.send({ type: "vote", poll: poll.id, round: poll.round, ...answer }).catch(() => {});
}

function showLink(link, text, target) {
  link.hidden = !target;
  if (target) link.href = target.url;
  setText(link, text || "");
}

// Opens the place when the instructor points at it. Over text that is not saved it opens nothing: the
// link stays in the bar, and the browser asks before it follows the link.
function follow(look) {
  const isNews = lastLook !== null && (look?.id ?? 0) > lastLook;
  lastLook = Math.max(lastLook ?? 0, look?.id ?? 0);
  const hasChanges = byId("editor")?.hasAttribute("data-changed");
  if (isNews && !hasChanges && document.visibilityState === "visible") location.assign(look.url);
}

function report() {
  const lesson = /^\/lessons\/([^/]+)\/$/.exec(location.pathname)?.[1];
  if (lesson && document.visibilityState === "visible") socket.send({ type: "reading", lesson }).catch(() => {});
}

part("hand").onclick = ({ currentTarget }) => {
  if (currentTarget.getAttribute("aria-disabled") === "true") return;
  if (currentTarget.dataset.raised === "true") {
    socket.send({ type: "hand", text: null }).catch(() => {});
    return;
  }
  hand.hidden = !hand.hidden;
  if (!hand.hidden) hand.querySelector("input").focus();
};
hand.onsubmit = (event) => {
  event.preventDefault();
  socket.send({ type: "hand", text: hand.elements.text.value }).catch(() => {});
  hand.reset();
  hand.hidden = true;
  part("hand").focus();
};
message.querySelector("button").onclick = () => {
  socket.send({ type: "dismiss", id: Number(message.dataset.id) }).catch(() => {});
};
addEventListener("vote", ({ detail }) => vote(detail));
if (!document.querySelector(`link[href$="${STYLE}"]`)) await loadCss(STYLE);
new ResizeObserver(() => {
  document.documentElement.style.setProperty("--class-bar", `${bar.offsetHeight}px`);
}).observe(bar);
setInterval(showTime, 250);
socket = new ReconnectingSocket(socketUrl(location.host, "/ws/feed/room/"), update, (isOpen) => isOpen && report());
socket.ready().catch(() => {});
addEventListener("visibilitychange", report);
