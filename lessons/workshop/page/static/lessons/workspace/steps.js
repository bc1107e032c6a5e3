// The steps of a lesson: Predict, See and Do. One is shown at a time. On a narrow page, the wire is
// a step too. The comparison takes the place of both columns.
//
// An element that must become visible gets the event `reveal`, which bubbles. This module shows the
// step around the element, tabs.js shows the tab.

import { byId } from "../common/dom.js";

const VIEWS = ["wire", "compare"]; // steps that take the place of the text

export const narrow = matchMedia("(width < 75rem)");

const workspace = byId("workspace");
const links = [...byId("steps").querySelectorAll("a")];
const scrolledTo = new Map(); // step → where the user has left it
const first = workspace.querySelector(".step.shown").id.slice("step-".length);
let current = first;

// The step that the user sees: "predict", "see", "do", "wire" or "compare".
export const currentStep = () => current;

// Shows a step, and sends `shown` to its section. On a wide page the wire is always visible.
export function showStep(name) {
  const section = sectionOf(name);
  if (!section) return;
  const isView = name === "compare" || (name === "wire" && narrow.matches);
  if (name !== current && (isView || name !== "wire")) {
    scrolledTo.set(current, scrollY);
    current = name;
    draw(section, isView);
    scrollTo({ top: Math.max(scrolledTo.get(name) ?? 0, Math.min(scrollY, topOfSteps())) });
  }
  section.dispatchEvent(new CustomEvent("shown"));
  workspace.dispatchEvent(new CustomEvent("step"));
}

// Calls `action` when the step is shown for the first time.
export function whenShown(name, action) {
  if (current === name) action();
  else sectionOf(name)?.addEventListener("shown", action, { once: true });
}

function draw(section, isView) {
  workspace.dataset.view = isView ? current : "text";
  if (!isView) for (const one of workspace.querySelectorAll(".step")) one.classList.toggle("shown", one === section);
  for (const link of links) {
    if (link.hash === `#${current}`) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
}

function sectionOf(name) {
  return byId(VIEWS.includes(name) ? name : `step-${name}`);
}

// The position of the page at which the links to the steps are right below the header.
function topOfSteps() {
  const header = document.querySelector(".top").offsetHeight;
  return Math.max(0, byId("steps").parentElement.querySelector(".lesson-head").offsetHeight - header);
}

function nameOf(element) {
  const section = element.closest(".step, #wire, #compare");
  return section?.id.replace("step-", "");
}

// Shows what the page's address names: a step, a heading in a step, an event, a mistake.
function followAddress() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!id) return showStep(first);
  if (id.startsWith("event-")) return showStep("wire");
  if (id.startsWith("mistake-")) return showStep("compare");
  if (links.some(({ hash }) => hash === `#${id}`)) return showStep(id);
  const target = id && byId(id);
  if (!target) return undefined;
  target.dispatchEvent(new CustomEvent("reveal", { bubbles: true }));
  return target.scrollIntoView();
}

document.addEventListener("reveal", ({ target }) => nameOf(target) && showStep(nameOf(target)));
addEventListener("hashchange", followAddress);
// On a page that becomes wide, the wire stands beside a step.
narrow.addEventListener("change", () => {
  if (current === "wire") showStep(workspace.querySelector(".step.shown").id.slice("step-".length));
});
followAddress();
