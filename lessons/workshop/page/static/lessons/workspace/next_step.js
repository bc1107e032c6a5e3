// The one next step: the only primary button of the page. What it does follows from the state of the
// page, unless another module offers a step with a higher rank.

import { byId, button } from "../common/dom.js";
import { currentStep, showStep } from "./steps.js";

const workspace = byId("workspace");
const offers = new Set();

// Offers a next step: {text, rank, action} or {text, rank, href}. Of all offers, the one with the
// highest rank is shown. The page's own have rank 0. Returns a function that withdraws the offer.
export function offerNext(offer) {
  offers.add(offer);
  update();
  return () => {
    offers.delete(offer);
    update();
  };
}

// Opens the exercise at a line. The editor listens to `go-to-line`.
function goToLine(line) {
  showStep("do");
  const editor = byId("editor");
  editor.scrollIntoView({ block: "center" });
  editor.dispatchEvent(new CustomEvent("go-to-line", { detail: line }));
}

function ownOffer() {
  const { state } = document.querySelector("#verdict .state").dataset;
  const onward = document.querySelector("#verdict .continue");
  if (state === "green" && onward) return { text: onward.dataset.short, href: onward.href };
  if (state === "red") {
    const { line } = document.querySelector("#finding")?.dataset ?? {};
    return line
      ? { text: `Fix line ${line}`, action: () => goToLine(Number(line)) }
      : { text: "Fix the exercise", action: () => showStep("do") };
  }
  if (currentStep() === "predict") return predictOffer();
  const isWatched = byId("no-events")?.hidden !== false;
  if (currentStep() === "do" || isWatched) return doOffer();
  return { text: workspace.dataset.verb, action: connect };
}

function predictOffer() {
  // A question that waits for the class offers nothing.
  const isWaiting = (one) => one.querySelector(".vote") && !one.querySelector(".answer > button:not([hidden])");
  const question = [...document.querySelectorAll(".question:has(.explanation[hidden])")].find((one) => !isWaiting(one));
  if (!question) return { text: "See how it works", action: () => showStep("see") };
  const [start, check] = [question.querySelector(".start"), question.querySelector(".answer > button:not([hidden])")];
  const { textContent: name } = question.querySelector("h3");
  const verb = check?.className === "vote" ? "Vote on" : "Check";
  if (check) return { text: `${verb} ${name.toLowerCase()}`, action: () => check.click() };
  const isFirst = name.endsWith(" 1");
  return {
    text: isFirst ? "Predict" : `Predict ${name.toLowerCase()}`,
    action: () => {
      question.scrollIntoView();
      start.click();
    },
  };
}

function doOffer() {
  const todo = document.querySelector("#todos [data-go-to]");
  if (currentStep() !== "do") return { text: "Do the exercise", action: () => showStep("do") };
  if (!todo) return { text: "Save the exercise to check it", action: () => goToLine(1) };
  const line = Number(todo.dataset.goTo);
  return { text: `Complete line ${line}`, action: () => goToLine(line) };
}

function connect() {
  showStep("wire");
  document.querySelector("#clients form:is(.connect, .request) button:not([type])").click();
}

function update() {
  const [{ text, href, action }] = [...offers, { rank: 0, ...ownOffer() }].sort((a, b) => b.rank - a.rank);
  const bar = byId("next-step");
  const shown = bar.firstElementChild;
  if (shown?.textContent === text && shown.href === href) {
    if (!href) shown.onclick = action;
    return;
  }
  const made = href ? Object.assign(document.createElement("a"), { href, textContent: text }) : button(text, action);
  made.className = "primary";
  const hadFocus = shown === document.activeElement;
  bar.replaceChildren(made);
  if (hadFocus && shown) made.focus();
}

let frame = 0;
function schedule() {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(update);
}

const changes = new MutationObserver(schedule);
changes.observe(byId("verdict"), { childList: true });
for (const one of document.querySelectorAll(".answer, .explanation, #no-events")) {
  changes.observe(one, { childList: true, attributeFilter: ["hidden"] });
}
workspace.addEventListener("step", schedule);
addEventListener("class-poll", schedule);
byId("todos").addEventListener("click", ({ target }) => {
  if (!target.dataset.goTo) return;
  goToLine(Number(target.dataset.goTo));
});
update();
