// Looks as you type: what the server answers to the form, without leaving the page.

const PAUSE = 120; // ms without a key, or every letter of a word would be a search

const form = document.getElementById("search");
const { q: input } = form.elements;
let waiting = null;
let asked = null;

async function look() {
  asked?.abort();
  asked = new AbortController();
  const url = new URL(form.action);
  if (input.value.trim()) url.searchParams.set("q", input.value);
  try {
    const response = await fetch(url, { signal: asked.signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const id of ["count", "results"]) {
      document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
    }
    document.title = page.title;
    history.replaceState(null, "", url); // so that coming back, or a bookmark, finds the same
  } catch (error) {
    if (error.name === "AbortError") return;
    document.getElementById("count").textContent = "The server does not answer.";
  }
}

input.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(look, PAUSE);
});

// What was typed before this file was here.
if (input.value !== (new URL(location).searchParams.get("q") ?? "")) look();
