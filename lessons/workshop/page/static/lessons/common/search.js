// Searches while the user types: replaces the results without leaving the page.

import { byId } from "./dom.js";

const TYPING_PAUSE = 120; // milliseconds without a key; otherwise each letter would start a search
const MAX_SENT = 4000; // characters; a longer URL does not fit into Daphne's limit
const LINE_END = "↵"; // the server reads it as a line end, which a text field cannot contain

const form = byId("search");
const { q: input } = form.elements;
let timer, request;

async function search() {
  request?.abort();
  request = new AbortController();
  const url = new URL(form.action);
  if (input.value.trim()) url.searchParams.set("q", input.value.slice(-MAX_SENT));
  try {
    const response = await fetch(url, { signal: request.signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const id of ["count", "results"]) byId(id).replaceChildren(...page.getElementById(id).childNodes);
    document.title = page.title;
    history.replaceState(null, "", url); // so that a bookmark, or the back button, finds these results
  } catch (error) {
    if (error.name === "AbortError") return;
    byId("count").textContent = "The server does not answer.";
  }
}

input.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, TYPING_PAUSE);
});

// The last line of a traceback says what happened. Without line ends the server cannot find it.
input.addEventListener("paste", (event) => {
  const text = event.clipboardData.getData("text/plain").trim();
  if (!/[\r\n]/.test(text)) return;
  event.preventDefault();
  const line = text.slice(-MAX_SENT).replace(/\s*[\r\n]+\s*/g, ` ${LINE_END} `);
  input.setRangeText(line, input.selectionStart, input.selectionEnd, "end");
  input.dispatchEvent(new Event("input"));
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  search();
});

// The user may have typed before this script was loaded.
if (input.value !== (new URL(location).searchParams.get("q") ?? "")) search();
