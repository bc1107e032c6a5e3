// The store of a board or a slide: what the room has sent, the room's clock, and the last action.

import { byId } from "../lessons/common/dom.js";
import { fetchJson, socketUrl } from "../lessons/common/server.js";
import { signal } from "../lessons/vendor/preact.js";

const PAUSE = 1000; // milliseconds before the page connects again
const ANSWER_TIME = 6000; // milliseconds that the answer to an action is shown

export const page = JSON.parse(byId("page").textContent);
export const room = signal(null); // the state of the class, with `timer.ends` on the room's clock
export const now = signal(page.now); // the room's clock in seconds, each second
export const answer = signal({ text: "", isError: false });

const loadedAt = performance.now();
const clock = () => page.now + (performance.now() - loadedAt) / 1000;
setInterval(() => (now.value = clock()), 1000);

const numberOf = new Map(page.lessons.map(({ slug, number }) => [slug, number]));
export const titleOf = (slug) => `${numberOf.get(slug) ?? "?"} ${slug}`;

// Follows the class until it is deleted or the login has ended. The element `connection` says so.
export function follow() {
  const socket = new WebSocket(socketUrl(location.host, page.socket));
  let ended = "";
  socket.onmessage = ({ data }) => {
    const state = JSON.parse(data);
    ended = state.ended ?? "";
    say(ended ? "ended" : "connected", ended || "connected");
    if (ended) return;
    now.value = clock();
    const { timer } = state;
    room.value = { ...state, timer: timer && { ...timer, ends: now.value + timer.seconds } };
  };
  socket.onclose = () => {
    if (ended) return;
    say("waiting", "connecting…");
    setTimeout(follow, PAUSE);
  };
}

function say(state, text) {
  byId("connection").dataset.state = state;
  byId("connection").textContent = text;
}

// Asks the room to do what a form says: see actions.py. Throws an Error that says what is wrong.
export function send(form) {
  form.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  return fetchJson(page.act, { method: "POST", body: form });
}

// Sends an action, and says what came of it.
export async function act(action, done = "") {
  try {
    await send(new URLSearchParams(action));
    tell(done);
  } catch (error) {
    tell(error.message, true);
  }
}

let timer = 0;

export function tell(text, isError = false) {
  clearTimeout(timer);
  answer.value = { text, isError };
  timer = setTimeout(() => (answer.value = { text: "", isError: false }), ANSWER_TIME);
}
