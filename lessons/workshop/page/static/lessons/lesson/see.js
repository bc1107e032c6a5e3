// The step See: the transcripts of the text can be played, and a list says what to try.

import { html } from "../vendor/preact.js";
import { byId } from "../common/dom.js";
import { link, page, playSteps, readLink, seen, titleOf } from "./store.js";

byId("see").addEventListener("click", (event) => {
  const play = event.target.closest("a.play");
  if (!play) return;
  event.preventDefault();
  playLink(readLink(play.href));
});

// If the steps cannot be played, the place of the offer says why.
const playLink = ({ target, steps }) => playSteps(target, steps)
  .then(() => (link.value = null), ({ message: problem }) => (link.value = { target, steps, problem }));

export function Tries() {
  if (!page.tries.length) return null;
  return html`
    <section class="tries" aria-labelledby="tries-title">
      <h2 id="tries-title">Try it</h2>
      <ul>${page.tries.map(({ words }, number) => html`
        <li data-seen=${seen.value.has(number)}><span role="img" aria-label=${seen.value.has(number) ? "seen" : "not yet"}>${seen.value.has(number) ? "✓" : "○"}</span> ${words}</li>`)}</ul>
    </section>`;
}

// Shows what the steps of this page's address are, with a button that plays them.
export function LinkedSteps() {
  if (!link.value) return null;
  const { target, steps, problem } = link.value;
  return html`
    <div class="linked-steps">
      <p role="status">${problem ?? html`This link plays on ${titleOf(target)}: <code>${steps.join(" · ")}</code>`}</p>
      <button type="button" class="primary" onClick=${() => playLink(link.value)}>Play these steps</button>
      <button type="button" onClick=${() => (link.value = null)}>Dismiss</button>
    </div>`;
}
