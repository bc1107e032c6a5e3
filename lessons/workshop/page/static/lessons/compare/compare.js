// Compares a mistake with the solution: the server plays the same conversation with both.

import { byId, loadCss, withCode } from "../common/dom.js";
import { fetchJson, playUrl } from "../common/server.js";

await loadCss("compare/compare.css");

const HASH = "#mistake-";

const section = byId("compare");
const form = byId("compare-form");
let getPlayedSteps = null;
let latest = null; // the latest request; answers to earlier ones are ignored

// `getSteps()` returns the steps that the user played on this page.
export function startComparing(getSteps) {
  getPlayedSteps = getSteps;
  form.elements.steps.namedItem("played-steps").hidden = false;
  const { mistake } = form.elements;
  mistake.onchange = showIntro;
  form.onsubmit = (event) => {
    event.preventDefault();
    // The address becomes a link to this comparison. The page does not scroll.
    history.replaceState(null, "", HASH + mistake.value);
    run();
  };
  byId("compare-controls").disabled = false;
  showIntro();
  addEventListener("hashchange", followAddress);
  followAddress();
}

function showIntro() {
  const { intro } = form.elements.mistake.selectedOptions[0].dataset;
  byId("compare-intro").replaceChildren(...withCode(intro));
}

function followAddress() {
  const name = location.hash.startsWith(HASH) && location.hash.slice(HASH.length);
  const { mistake } = form.elements;
  if (![...mistake.options].some(({ value }) => value === name)) return;
  mistake.value = name;
  showIntro();
  run();
}

function steps() {
  const [{ id, value }] = form.elements.steps.selectedOptions;
  if (id !== "played-steps") return value.split("|").map((step) => step.trim()).filter(Boolean);
  const played = getPlayedSteps();
  if (!played.length) throw new Error("Nothing was played on this page yet. Connect, then compare.");
  return played;
}

async function run() {
  const request = (latest = Symbol("request"));
  const { url, feed } = section.dataset;
  const mistake = ["mistake", form.elements.mistake.value];
  say("Playing it twice…");
  try {
    let answer = await fetchJson(playUrl(url, feed, [mistake, ...steps().map((step) => ["step", step])]));
    const { draw } = await import("./comparison.js"); // most visits compare nothing
    if (request !== latest) return;
    say(...draw(answer));
    if (answer.right) return;
    say("No conversation here shows it. Running the lesson’s checks, which takes longer…");
    answer = await fetchJson(playUrl(url, feed, [mistake, ["check", ""]]));
    if (request === latest) say(...draw(answer));
  } catch (error) {
    if (request === latest) say(error.message);
  }
}

function say(...parts) {
  byId("compare-status").replaceChildren(...parts.filter(Boolean));
}
