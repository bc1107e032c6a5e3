// The step Do: the task, the editor, and the verdict below it.

import { html, signal } from "../vendor/preact.js";
import { byId } from "../common/dom.js";
import { Editor } from "./editor.js";
import { Finding, Outcomes } from "../common/finding.js";
import { ask, error, exercise, goTo, isStale, judge, judging, lesson, page, showClaim, verdict, verdictState } from "./store.js";

const isTaskOpen = signal(false);
const claimError = signal("");
const WORDS = { judging: "checking…", new: "not started" };

export function Do() {
  byId("task").classList.toggle("open", isTaskOpen.value);
  return html`
    <button type="button" class="unfold" aria-expanded=${isTaskOpen.value} onClick=${() => (isTaskOpen.value = !isTaskOpen.value)}>${isTaskOpen.value ? "Fold the task" : "The whole task"}</button>
    <${Editor} />
    <section class="verdict" id="verdict" aria-labelledby="verdict-title"><${Verdict} /></section>`;
}

const play = (number) => () => showClaim(number).then(() => (claimError.value = ""), ({ message }) => (claimError.value = message));

function Verdict() {
  const { upcoming, digest, path, hints, hintsInAll } = exercise.value;
  const state = verdictState.value;
  const { outcomes = [], finding, output } = verdict.value ?? {};
  const first = outcomes.findIndex((one) => one.state === "red");
  return html`
    <${Notices} />
    <div class="verdict-head">
      <h2 id="verdict-title" tabindex="-1">Verdict <span class="state" data-state=${state}>${WORDS[state] ?? state}</span></h2>
      ${outcomes.length > 0 && !isStale.value && !(judging.value && finding) && html`<${Checks} outcomes=${outcomes} />`}
      ${finding && !isStale.value && !judging.value && outcomes[first]?.plays && html`
        <button type="button" class="show-me" onClick=${play(first)}>Show me</button>`}
    </div>
    ${claimError.value && html`<p class="notice">${claimError.value}</p>`}
    ${digest === "" && html`<form id="missing" class="notice" onSubmit=${(event) => (event.preventDefault(), ask("reset"))}><p>The file <code>${path}</code> is missing.</p><button>Restore the original</button></form>`}
    <div class=${isStale.value ? "stale" : ""} inert=${isStale.value}>
      ${finding && html`<${Finding} finding=${finding} here=${lesson.number} onLine=${(line) => (goTo.value = { line })} />`}
      ${!verdict.value && html`<p class="quiet">Change the code, then save: the verdict appears here.</p>`}
      ${state === "green" && html`
        <p class="all-green">All ${outcomes.length} checks pass. ${upcoming && html`<a class="primary continue" href=${upcoming.url}>Next lesson: ${upcoming.title}${upcoming.optional ? " (optional)" : ""}</a>`}</p>`}
      ${output && html`<details id="output"><summary>Printed output</summary><pre class="scroll">${output}</pre></details>`}
    </div>
    ${hints.map((hint, number) => html`
      <section class="hint" aria-label="Hint ${number + 1} of ${hintsInAll}"><h3>Hint ${number + 1} of ${hintsInAll}</h3><div dangerouslySetInnerHTML=${{ __html: hint }} /></section>`)}
    <${Help} />`;
}

// "5 of 7 ✓", and on request each check.
function Checks({ outcomes }) {
  const green = outcomes.filter((one) => one.state === "green").length;
  const show = (number) => outcomes[number].plays && !judging.value && html`
    <button type="button" class="show-check" aria-label="Show check ${number + 1}" onClick=${play(number)}>Show</button>`;
  return html`<details class="checks"><summary>${green} of ${outcomes.length} ✓</summary><${Outcomes} outcomes=${outcomes} after=${show} /></details>`;
}

function Notices() {
  return html`
    ${error.value && html`<p class="notice" role="alert">${error.value}</p>`}
    ${judge.value === "missing" && html`<p class="notice" id="no-judge">Saving runs no checks, because the judge process does not run. Start <code>${page.manage} workshop</code> again, or start the judge in a terminal: <code>${page.manage} lesson watch ${lesson.number}</code></p>`}`;
}

function Help() {
  const { held, hints, hintsInAll, solution, isRead, backup } = exercise.value;
  const hasMore = hints.length < hintsInAll;
  const isHeld = (what) => held.includes(what);
  return html`
    <details class="help" id="help"><summary>Help</summary>
      ${hasMore && isHeld("hints") && html`<p class="quiet held">Hints: Your instructor has not released this yet.</p>`}
      ${hasMore && !isHeld("hints") && html`<button type="button" id="hint" onClick=${() => ask("hint")}>${hints.length ? "Next hint" : "Show a hint"}</button>`}
      ${!solution && isHeld("solutions") && html`<p class="quiet held">Solution: Your instructor has not released this yet.</p>`}
      ${!solution && !hasMore && !isHeld("solutions") && html`
        <details id="show-solution"><summary>Show the solution</summary>
          <p>You have seen all hints. If you look at the solution now, this lesson counts as <em>read</em>, not as solved. When your exercise is green, it counts as solved.</p>
          <button type="button" onClick=${() => ask("solution")}>Show it anyway</button></details>`}
      ${isRead && html`<p class="quiet">You have read this lesson. It counts as solved when your exercise is green.</p>`}
      ${solution && html`<details id="solution" open=${isRead}><summary>Solution</summary><figure class="code python" dangerouslySetInnerHTML=${{ __html: solution }} /></details>`}
      <details id="reset"><summary>Start again</summary>
        <p>The original exercise replaces your version, which is kept beside it.</p>
        <button type="button" onClick=${() => ask("reset")}>Restore the original</button></details>
      ${backup && html`<p class="quiet">Your last version: <code>${backup}</code></p>`}
    </details>`;
}
