// Compares a mistake with the solution: the server plays the same conversation with both.

import { html, signal, useEffect } from "../vendor/preact.js";
import { Comparison } from "../common/comparison.js";
import { Finding, code } from "../common/finding.js";
import { lesson, mistake, page, play } from "./store.js";

const TITLES = { right: "The solution", wrong: "The mistake" };

const answer = signal(null);
const say = signal("");

async function run() {
  const { value: asked } = mistake;
  say.value = "Playing it twice. It takes longer if only a check of the lesson shows it…";
  const [found, problem] = await play("compare", [["mistake", asked]]).then((one) => [one, ""], ({ message }) => [null, message]);
  if (asked !== mistake.value) return; // an answer to an earlier request
  answer.value = found;
  say.value = problem;
}

export function Compare() {
  const found = page.mistakes.find(({ name }) => name === mistake.value) ?? page.mistakes[0];
  useEffect(() => {
    mistake.value = found.name;
    run();
  }, [found.name]);
  const choose = ({ target: { value } }) => {
    history.replaceState(null, "", `#mistake-${value}`); // the address becomes a link to this comparison
    mistake.value = value;
  };
  return html`
    <h2 id="compare-title">Compare with a mistake</h2>
    <label>Mistake <select name="mistake" onChange=${choose}>${page.mistakes.map(({ name, title }) => html`<option value=${name} selected=${name === found.name}>${title}</option>`)}</select></label>
    <p class="quiet">${code(found.intro)}</p>
    <p id="compare-status" aria-live="polite">${say.value || (answer.value && summary(answer.value))}</p>
    ${answer.value && html`
      <${Comparison} answer=${answer.value} titles=${TITLES} classes=${{ right: lesson.exercise, wrong: found.name }} />
      ${answer.value.code === null && html`<p class="quiet" id="code-later">Their code appears here when your exercise has been green, or when you have looked at the solution.</p>`}
      <${Finding} finding=${answer.value.diagnosis} here=${lesson.number} />`}`;
}

function summary({ steps, words, claim, differs, right, wrong }) {
  if (!steps.length) return html`No conversation shows it. A check finds it in another way: ${code(claim)}`;
  const where = differs ? "The first difference is marked." : "There is no difference.";
  return html`<span title=${steps.map(({ step }) => step).join(" · ")}>Played: ${words}.</span> ${where} ${right.cut || wrong.cut}`;
}
