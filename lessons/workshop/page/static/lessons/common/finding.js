// What a mistake is, as each page shows it: the title, expected beside received, cause and cure.

import { html } from "../vendor/preact.js";

// A plain text. What stands between backticks becomes code.
export function code(text) {
  return text.split("`").map((part, index) => (index % 2 ? html`<code>${part}</code>` : part));
}

const SIGNS = { green: "✓", red: "✗", "not run": "–", same: "·" };

// The claims of a verdict. Grey are those that fail only through the fault of another one.
// `after(number)` is what follows a claim.
export function Outcomes({ outcomes, after = () => null }) {
  return html`
    <ul class="outcomes">${outcomes.map(({ claim, state }, number) => html`
      <li data-state=${state}><span class="sign" role="img" aria-label=${state === "same" ? "the same fault" : state}>${SIGNS[state]}</span>
        <span>${code(claim)} ${after(number)}</span></li>`)}</ul>`;
}

// `finding` is what exercise_state.py writes. `onLine(line)` goes to the line in the page's editor.
export function Finding({ finding, onLine, here }) {
  const { title, where, line, detail, promise, symptom, cause, cure, usual, lesson } = finding;
  const go = (event) => {
    event.preventDefault();
    onLine(line);
  };
  const place = line && onLine
    ? html`<a class="line-link" href="#editor" onClick=${go}>line ${line}</a>`
    : html`<span class="quiet">${where}</span>`;
  return html`
    <div class="finding">
      <h3>${title} ${place}</h3>
      ${detail && html`<pre class="scroll" tabindex="0">${detail.split("\n").map((text) => html`${text.startsWith("≠") ? html`<mark>${text}</mark>` : text}${"\n"}`)}</pre>`}
      <dl>
        ${cause && html`<dt>${usual ? "Usually" : "Cause"}</dt><dd>${code(cause)}</dd>`}
        ${cause && html`<dt>${usual ? "If so" : "Cure"}</dt><dd>${code(cure)}</dd>`}
        ${promise && html`<dt>Task</dt><dd>${code(promise)}</dd>`}
        ${symptom && html`<dt>You see</dt><dd>${code(symptom)}</dd>`}
      </dl>
      ${lesson && lesson.number !== here && html`<p>Read <a href=${lesson.url}>lesson ${lesson.title}</a>.</p>`}
    </div>`;
}
