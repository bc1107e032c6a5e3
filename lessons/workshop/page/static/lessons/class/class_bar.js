// The bar of a workshop that has joined a class: the connection, the hand, a message, the timer, and
// what the instructor points at. All texts of the room are shown as text. A page that was loaded
// before the workshop joined has the bar, but not its stylesheet.

import { byId, loadCss } from "../common/dom.js";
import { ReconnectingSocket, socketUrl } from "../common/server.js";

const STYLE = "class/class_bar.css";
const bar = byId("class-bar");
const message = byId("class-message");
const part = (name) => bar.querySelector(`.class-${name}`);

let socket;
let poll = null;
let timerEnd = null; // milliseconds, as performance.now() counts
let lastLook = null; // the id of the place that was announced last; null before the first news

function update(state) {
  bar.hidden = !state;
  bar.dataset.held = JSON.stringify(state?.held ?? {});
  dispatchEvent(new Event("class-held"));
  if (!state) {
    message.hidden = true;
    return;
  }
  setText(part("name"), state.class);
  setText(part("link"), linkText(state));
  part("link").toggleAttribute("data-connected", state.is_connected);
  showHand(state);
  showMessage(state.message);
  timerEnd = state.timer && performance.now() + 1000 * state.timer.seconds;
  part("timer").dataset.label = state.timer?.label ?? "";
  showTime();
  showLink(part("poll"), state.poll && pollText(state.poll), state.poll);
  offerPoll(state);
  showLink(part("look"), state.look && `Look here: ${state.look.text}`, state.look);
  follow(state.look);
}

// A screen reader reads a live text again when it is set again.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function linkText({ link, waiting, problem, is_connected: isConnected }) {
  const count = isConnected || !waiting ? "" : `${waiting} ${waiting === 1 ? "report waits" : "reports wait"}`;
  return [link, problem || count].filter(Boolean).join(" · ");
}

function showHand({ hand, is_connected: isConnected }) {
  const button = part("hand");
  button.setAttribute("aria-disabled", !isConnected);
  button.setAttribute("aria-pressed", hand);
}

function showMessage(found) {
  message.hidden = !found;
  message.dataset.id = found?.id ?? "";
  setText(message.querySelector("p"), found?.text ?? "");
}

function showTime() {
  part("timer").hidden = timerEnd === null;
  if (timerEnd === null) return;
  const seconds = Math.max(0, Math.ceil((timerEnd - performance.now()) / 1000));
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  setText(part("timer"), [time, part("timer").dataset.label].filter(Boolean).join(" "));
}

function pollText({ text, round, state, has_voted: hasVoted }) {
  const vote = hasVoted ? "you have voted" : "vote now";
  const stage = { open: vote, closed: "closed", shown: "the answer is shown" }[state];
  return `Poll: ${text}${round > 1 ? `, round ${round}` : ""} (${stage})`;
}

// Says which question the class votes on now; predict/vote.js offers the vote.
function offerPoll({ poll: found, is_connected: isConnected }) {
  poll = found;
  bar.dataset.poll = isConnected && found?.state === "open" ? found.question : "";
  bar.dataset.voted = found?.has_voted ? "yes" : "no";
  dispatchEvent(new Event("class-poll"));
}

function showLink(link, text, target) {
  link.hidden = !target;
  if (target) link.href = target.url;
  setText(link, text ?? "");
}

// Opens the place when the instructor points at it. Over text that is not saved it opens nothing: the
// link stays in the bar, and the browser asks before it follows the link.
function follow(look) {
  const isNews = lastLook !== null && (look?.id ?? 0) > lastLook;
  lastLook = Math.max(lastLook ?? 0, look?.id ?? 0);
  const hasChanges = byId("editor")?.hasAttribute("data-changed");
  if (isNews && !hasChanges && document.visibilityState === "visible") location.assign(look.url);
}

part("hand").onclick = ({ currentTarget }) => {
  if (currentTarget.getAttribute("aria-disabled") === "true") return;
  const isRaised = currentTarget.getAttribute("aria-pressed") === "true";
  socket.send({ type: "hand", raised: !isRaised }).catch(() => {});
};
message.querySelector("button").onclick = () => {
  socket.send({ type: "dismiss", id: Number(message.dataset.id) }).catch(() => {});
};
addEventListener("vote", ({ detail }) => {
  if (poll) socket.send({ type: "vote", poll: poll.id, round: poll.round, ...detail }).catch(() => {});
});
if (!document.querySelector(`link[href$="${STYLE}"]`)) await loadCss(STYLE);
new ResizeObserver(() => {
  document.documentElement.style.setProperty("--class-bar", `${bar.offsetHeight}px`);
}).observe(bar);
setInterval(showTime, 250);
socket = new ReconnectingSocket(socketUrl(location.host, "/ws/feed/room/"), update);
socket.ready().catch(() => {});
