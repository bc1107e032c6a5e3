// "Judge it again": asks the room for a verdict on the code, and shows whether the claim holds.

import { Comparison } from "../lessons/common/comparison.js";
import { byId, element } from "../lessons/common/dom.js";
import { Finding } from "../lessons/common/finding.js";
import { fetchJson } from "../lessons/common/server.js";
import { html, render } from "../lessons/vendor/preact.js";

const TITLES = { right: "The solution", wrong: "The student’s code" };
const SIGNS = { green: "✓", red: "✗", "not run": "–" };

const form = byId("judge");

form.onsubmit = async (event) => {
  event.preventDefault();
  form.querySelector("button").disabled = true;
  say("Judging…");
  try {
    await show(await fetchJson(form.action, { method: "POST", body: new FormData(form) }));
  } catch (error) {
    say(error.message, "error");
  } finally {
    form.querySelector("button").disabled = false;
  }
};

function say(text, kind = "") {
  const status = byId("judge-status");
  status.textContent = text;
  status.className = kind;
}

async function show({ claimed, answer }) {
  const isJudged = answer.state === "green" || answer.state === "red";
  byId("judged").hidden = !isJudged;
  byId("compare-result").hidden = true;
  if (!isJudged) return say(`Not judged: ${answer.reason}. ${answer.detail}`, "error");
  const agrees = answer.state === claimed;
  const text = agrees ? `The claim holds: it is ${answer.state} here too.` : `The student’s workshop says ${claimed}; judged here: ${answer.state}.`;
  say([text, answer.warning].filter(Boolean).join(" "), agrees ? "agrees" : "differs");
  byId("judged-claims").replaceChildren(...answer.outcomes.map(claimItem));
  showFinding(answer);
  const output = byId("judged-output");
  output.hidden = !answer.output.trim();
  output.querySelector("pre").textContent = answer.output;
  if (answer.comparison || answer.code) showComparison(answer);
  return undefined;
}

function claimItem({ claim, state }) {
  const item = document.createElement("li");
  item.dataset.state = state;
  const sign = element("span", SIGNS[state], "sign");
  sign.setAttribute("role", "img");
  sign.setAttribute("aria-label", state);
  const text = document.createElement("span");
  text.innerHTML = claim; // the course's text, which the server has rendered
  item.append(sign, " ", text);
  return item;
}

function showFinding({ finding, diagnosis }) {
  const box = byId("judged-finding");
  box.hidden = !finding;
  if (!finding) return;
  const parts = [element("h3", diagnosis.title), element("p", finding.message)];
  if (finding.promise) parts.push(element("p", `The exercise says: ${finding.promise}`));
  if (finding.detail) {
    const detail = element("pre", finding.detail, "scroll");
    detail.tabIndex = 0;
    detail.setAttribute("aria-label", "The finding in full");
    parts.push(detail);
  }
  box.replaceChildren(...parts);
}

function showComparison({ comparison, code = null, diagnosis, state }) {
  if (state === "green" && !comparison) return;
  byId("compare-result").hidden = false;
  byId("code-later").hidden = code !== null;
  byId("compare-title").textContent = comparison ? "The conversation that fails" : "The code beside the solution";
  const steps = comparison?.steps.map(({ step }) => step).join(" · ");
  render(html`
    ${steps && html`<p>Played: <code>${steps}</code></p>`}
    <${Comparison} answer=${{ ...comparison, code }} titles=${TITLES} />
    ${diagnosis && html`<${Finding} finding=${{ ...diagnosis, lesson: null }} />`}`, byId("comparison"));
}
