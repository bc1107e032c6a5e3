// "Judge it again": asks the room for a verdict on the code, and shows whether the claim holds.

import { Comparison } from "../lessons/common/comparison.js";
import { byId } from "../lessons/common/dom.js";
import { Finding, Outcomes } from "../lessons/common/finding.js";
import { fetchJson } from "../lessons/common/server.js";
import { html, render, signal } from "../lessons/vendor/preact.js";

const TITLES = { right: "The solution", wrong: "The student’s code" };

const form = byId("judge");
const isJudging = signal(false);
const judged = signal(null); // {claimed, answer} as student_page.py writes it, or {error}

form.onsubmit = async (event) => {
  event.preventDefault();
  if (isJudging.value) return;
  isJudging.value = true;
  judged.value = await fetchJson(form.action, { method: "POST", body: new FormData(form) }).catch((error) => ({ error: error.message }));
  isJudging.value = false;
};
form.querySelector("button").disabled = false; // pressed before, it would leave the page

// What the page says of the verdict, as [text, class].
function summary({ error, claimed, answer }) {
  if (error) return [error, "error"];
  if (!isVerdict(answer)) return [`Not judged: ${answer.reason}. ${answer.detail}`, "error"];
  if (answer.state === claimed) return [`The claim holds: it is ${answer.state} here too.`, "agrees"];
  return [`The student’s workshop says ${claimed}; judged here: ${answer.state}.`, "differs"];
}

const isVerdict = (answer) => ["green", "red"].includes(answer?.state);

function Judged() {
  const [text, kind] = isJudging.value ? ["Judging…", ""] : judged.value ? summary(judged.value) : [];
  const { answer } = judged.value ?? {};
  return html`
    <p id="judge-status" role="status" class=${kind}>${text}</p>
    ${!isJudging.value && isVerdict(answer) && html`
      <${Outcomes} outcomes=${answer.outcomes} />
      ${answer.finding && html`<${Finding} finding=${{ ...answer.finding, lesson: null }} />`}
      ${answer.output.trim() && html`<details><summary>Printed output</summary><pre class="scroll" tabindex="0" aria-label="Printed output">${answer.output}</pre></details>`}`}`;
}

function Compared() {
  const { answer } = judged.value ?? {};
  if (isJudging.value || !isVerdict(answer) || !(answer.comparison || (answer.code && answer.state === "red"))) return null;
  const { comparison, code } = answer;
  return html`
    <section class="compare-result" aria-labelledby="compare-title">
      <h2 id="compare-title">${comparison ? "The conversation that fails" : "The code beside the solution"}</h2>
      ${comparison && html`<p>Played: <code>${comparison.steps.map(({ step }) => step).join(" · ")}</code></p>`}
      <${Comparison} answer=${{ ...comparison, code }} titles=${TITLES} />
      ${!code && html`<p class="quiet">The code cannot be set beside the solution: it is too long, is not valid Python, or does not define <code>${form.dataset.name}</code>.</p>`}
    </section>`;
}

render(html`<${Judged} />`, byId("judged"));
render(html`<${Compared} />`, byId("compared"));
