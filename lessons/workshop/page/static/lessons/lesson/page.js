// The entry of a lesson's page: renders the views, and keeps the document in step with the state.

import { effect, html, render } from "../vendor/preact.js";
import { byId } from "../common/dom.js";
import { Compare } from "./compare.js";
import { Do } from "./do.js";
import { Menu } from "./menu.js";
import { Wire } from "./picture.js";
import { Predict } from "./predict.js";
import { LinkedSteps, Tries } from "./see.js";
import { announcement, followAddress, isNarrow, isProjector, link, liveCount, saved, seen, step } from "./store.js";

// The next step. It is the one thing to press, once the student has seen something.
function NextStep() {
  const hasSeen = liveCount.value > 0 || seen.value.size > 0 || saved.value?.kind === "played";
  if (!["see", "wire"].includes(step.value)) return null;
  return html`<button type="button" class=${hasSeen ? "primary" : ""} onClick=${() => (step.value = "do")}>Do the exercise</button>`;
}

const When = ({ steps, children }) => (steps.includes(step.value) ? children : null);
const views = {
  predict: html`<${Predict} />`,
  wire: html`<${LinkedSteps} /><${Wire} />`,
  tries: html`<${Tries} />`,
  do: html`<${Do} />`,
  compare: html`<${When} steps=${["compare"]}><${Compare} /></${When}>`,
  "next-step": html`<${NextStep} />`,
  "lesson-menu": html`<${Menu} />`,
};
for (const [id, view] of Object.entries(views)) if (byId(id)) render(view, byId(id));

const workspace = byId("workspace");
const links = [...byId("steps").querySelectorAll("a")];
const scrolled = new Map(); // step → where the user has left it
let before = null;
effect(() => {
  const now = step.value;
  if (before) scrolled.set(before, scrollY);
  workspace.dataset.step = now;
  for (const one of links) one.ariaCurrent = one.hash === `#${now}` ? "step" : null;
  if (before) scrollTo({ top: scrolled.get(now) ?? 0 });
  before = now;
});
// On a page that becomes wide, the picture stands beside a step. The address names the step.
effect(() => {
  if (!isNarrow.value && step.value === "wire") step.value = "see";
});
effect(() => {
  if (link.value) step.value = isNarrow.value ? "wire" : "see";
});
let isAlone = false; // whether the picture is all that the page shows
effect(() => {
  if (isProjector.value === isAlone) return;
  isAlone = isProjector.value;
  if (isAlone) scrolled.set(before, scrollY);
  document.documentElement.classList.toggle("projector", isAlone);
  if (!isAlone) scrollTo({ top: scrolled.get(before) });
});
effect(() => (byId("announcement").textContent = announcement.value));

for (const one of links) {
  one.onclick = (event) => {
    event.preventDefault();
    history.pushState(null, "", one.hash);
    step.value = one.hash.slice(1);
  };
}
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isProjector.value && !event.defaultPrevented) isProjector.value = false;
});
addEventListener("hashchange", followAddress);
followAddress();
