// The page of a room. It shows other users' messages as text, never as HTML.

import { Connection } from "./connection.js";

const MAX_MESSAGES = 500; // on the page

const element = (id) => document.getElementById(id);
const [log, messages, form, text] = ["log", "messages", "form", "text"].map(element);
const title = document.title;
let missed = 0; // messages since the connection was lost
let unread = 0; // messages while the page is in the background
let wasOpen = false;

const connection = new Connection(document.querySelector("main").dataset.path, {
  onFrame: (frame) => {
    if ("message" in frame) showMessage(frame);
    else if ("here" in frame) showUsers(frame);
    else if ("error" in frame) showError(frame);
  },
  onState: (state, words) => {
    document.body.dataset.state = state;
    element("status").textContent = words + unsentNotice();
    // While busy, a screen reader does not read single messages; showReady() gives their number.
    if (state !== "open") log.setAttribute("aria-busy", "true");
  },
});

function unsentNotice() {
  const number = connection.outbox.size;
  return number ? ` ${number} of your messages are not sent yet.` : "";
}

function createElement(tag, className, content) {
  const created = document.createElement(tag);
  created.className = className;
  created.textContent = content;
  return created;
}

function showMessage({ message, by, at }) {
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  if (log.getAttribute("aria-busy") === "true" && wasOpen && (missed += 1) === 1) {
    messages.append(createElement("li", "missed", "You missed:"));
  }
  const when = createElement("time", "at", new Date(at).toLocaleTimeString([], { timeStyle: "short" }));
  when.dateTime = at;
  const line = createElement("li", "message", "");
  line.append(createElement("b", "by", by ?? "guest"), " ", when, " ", createElement("span", "said", message));
  messages.append(line);
  while (messages.children.length > MAX_MESSAGES) messages.firstElementChild.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
  if (document.hidden) document.title = `(${(unread += 1)}) ${title}`;
}

function showReady() {
  const words = missed ? ` You missed ${missed} ${missed === 1 ? "message" : "messages"}.` : "";
  element("status").textContent = `Connected.${words}`;
  log.setAttribute("aria-busy", "false");
  [missed, wasOpen] = [0, true];
}

function showUsers({ here, guests }) {
  if (log.getAttribute("aria-busy") === "true") showReady();
  const names = [...here];
  if (guests) names.push(guests === 1 ? "1 guest" : `${guests} guests`);
  element("here").replaceChildren(...names.map((name) => createElement("li", "", name)));
}

function showError({ error, text: rejected }) {
  element("problem").textContent = error;
  if (rejected && !text.value) text.value = rejected; // so that the user can change and resend it
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!text.value.trim()) return;
  element("problem").textContent = "";
  connection.post(text.value);
  text.value = "";
  text.focus();
});

text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = 0;
  document.title = title;
  connection.resume();
});
document.addEventListener("keydown", () => connection.resume());
window.addEventListener("online", () => connection.resume());

connection.open();
