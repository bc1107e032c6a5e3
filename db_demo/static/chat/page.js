// The page of a room. All that others wrote goes into the page as text, never as HTML.

import { Connection } from "./connection.js";

const TYPING_SHOWN = 4_000; // milliseconds
const TYPING_PAUSE = 2_000;
const MOST = 500; // messages kept on the page

const element = (id) => document.getElementById(id);
const [log, messages, form, text] = ["log", "messages", "form", "text"].map(element);
const title = document.title;
let missed = 0; // since the connection was lost
let unseen = 0; // while the page is in the background
let toldAt = 0;
let wasOpen = false;

const connection = new Connection(document.querySelector("main").dataset.path, {
  onFrame: (frame) => {
    if ("message" in frame) showMessage(frame);
    else if ("ready" in frame) showReady();
    else if ("here" in frame) showHere(frame);
    else if ("typing" in frame) showTyping(frame.typing ?? "guest");
    else if ("error" in frame) showProblem(frame);
  },
  onState: (state, words) => {
    document.body.dataset.state = state;
    element("status").textContent = words + waiting();
    if (state !== "open") log.setAttribute("aria-busy", "true"); // what is missed is summed up
  },
});

function waiting() {
  const number = connection.outbox.size;
  return number ? ` ${number} of your messages not sent yet.` : "";
}

function make(tag, className, content) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = content;
  return made;
}

function showMessage({ message, by, at }) {
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  if (log.getAttribute("aria-busy") === "true" && wasOpen && (missed += 1) === 1) {
    messages.append(make("li", "missed", "You missed:"));
  }
  const when = make("time", "at", new Date(at).toLocaleTimeString([], { timeStyle: "short" }));
  when.dateTime = at;
  const line = make("li", "message", "");
  line.append(make("b", "by", by ?? "guest"), " ", when, " ", make("span", "said", message));
  messages.append(line);
  while (messages.children.length > MOST) messages.firstElementChild.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
  element("typing").textContent = "";
  if (document.hidden) document.title = `(${(unseen += 1)}) ${title}`;
}

function showReady() {
  const words = missed ? ` You missed ${missed} ${missed === 1 ? "message" : "messages"}.` : "";
  element("status").textContent = `Connected.${words}`;
  log.setAttribute("aria-busy", "false");
  [missed, wasOpen] = [0, true];
}

function showHere({ here, guests }) {
  const names = guests ? [...here, guests === 1 ? "1 guest" : `${guests} guests`] : here;
  element("here").replaceChildren(...names.map((name) => make("li", "", name)));
}

let typingTimer;
function showTyping(name) {
  element("typing").textContent = `${name} is typing…`;
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => (element("typing").textContent = ""), TYPING_SHOWN);
}

function showProblem({ error, text: refused }) {
  element("problem").textContent = error;
  if (refused && !text.value) text.value = refused; // to be changed and sent again
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!text.value.trim()) return;
  element("problem").textContent = "";
  connection.say(text.value);
  text.value = "";
  text.focus();
});

text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

text.addEventListener("input", () => {
  if (Date.now() - toldAt < TYPING_PAUSE) return;
  toldAt = Date.now();
  connection.typing();
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unseen = 0;
  document.title = title;
  connection.resume();
});
document.addEventListener("keydown", () => connection.resume());
window.addEventListener("online", () => connection.resume());

connection.open();
