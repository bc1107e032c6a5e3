// The step See: each transcript in the text can be played, and a list says what to try.

import { html, render, signal } from "../vendor/preact.js";
import { byId, element } from "../common/dom.js";
import { transcripts } from "../diagram/captions.js";
import { link, page, playSteps, seen, titleOf } from "./store.js";
import { stepsInWords } from "./words.js";

export function offerPlay(article) {
  for (const { caption, target, steps } of transcripts(article)) {
    const box = caption.appendChild(element("span", "", "play"));
    render(html`<${Play} name=${target} steps=${steps} problem=${signal("")} />`, box);
  }
}

function Play({ name, steps, problem }) {
  const play = () => playSteps(name, steps).then(() => (problem.value = ""), ({ message }) => (problem.value = message));
  return html`<button type="button" aria-label="Play ${steps.join(", ")}" onClick=${play}>▶ Play this</button><span role="status">${problem.value}</span>`;
}

export function Tries() {
  if (!page.tries.length) return null;
  return html`
    <section class="tries" aria-labelledby="tries-title">
      <h2 id="tries-title">Try it</h2>
      <ul>${page.tries.map((steps, number) => html`
        <li data-seen=${seen.value.has(number)}><span role="img" aria-label=${seen.value.has(number) ? "seen" : "not yet"}>${seen.value.has(number) ? "✓" : "○"}</span> ${stepsInWords(steps)}</li>`)}</ul>
    </section>`;
}

// Shows what the steps of this page's address are, with a button that plays them.
export function LinkedSteps() {
  if (!link.value) return null;
  const { target, steps } = link.value;
  const play = () => playSteps(target, steps).then(() => (link.value = null), ({ message }) => (link.value = { ...link.value, problem: message }));
  return html`
    <div class="linked-steps">
      <p>${link.value.problem ?? html`This link plays on ${titleOf(target)}: <code>${steps.join(" · ")}</code>`}</p>
      <button type="button" class="primary" onClick=${play}>Play these steps</button>
      <button type="button" onClick=${() => (link.value = null)}>Dismiss</button>
    </div>`;
}

export const article = byId("see");
