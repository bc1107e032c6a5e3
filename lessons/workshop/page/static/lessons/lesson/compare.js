// Compares a mistake with the solution: the server plays the same conversation with both.

import { html, signal, useEffect, useRef, useSignalEffect } from "../vendor/preact.js";
import { withoutDirectionMarks } from "../common/dom.js";
import { Diagram } from "../diagram/diagram.js";
import { Transcript } from "../diagram/transcript.js";
import { steps as playedSteps } from "./clients.js";
import { Finding, code } from "./finding.js";
import { lesson, mistake, page, play } from "./store.js";
import { stepsInWords } from "./words.js";

const OWN = "your conversation on this page";
const SIDES = { right: "The solution", wrong: "The mistake" };

const conversation = signal("");
const answer = signal(null);
const say = signal("");
const pointed = { right: signal(null), wrong: signal(null) };
let latest = null; // answers to earlier requests are ignored

function stepsOf(text) {
  if (text !== OWN) return text.split(" | ").filter(Boolean);
  const played = playedSteps.toTexts();
  if (!played.length) throw new Error("Nothing was played on this page yet. Connect, then compare.");
  return played;
}

async function run() {
  const request = (latest = Symbol("request"));
  const ask = (more) => play("compare", [["mistake", mistake.value], ...more]);
  say.value = "Playing it twice…";
  try {
    let found = await ask(stepsOf(conversation.value).map((one) => ["step", one]));
    if (request === latest && !found.right) {
      answer.value = found;
      say.value = "No conversation here shows it. Running the lesson’s checks, which takes longer…";
      found = await ask([["check", ""]]);
    }
    if (request !== latest) return;
    answer.value = found;
    say.value = "";
  } catch ({ message }) {
    if (request === latest) say.value = message;
  }
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
  const { diagnosis, code: rows, right } = answer.value ?? {};
  return html`
    <h2 id="compare-title">Compare with a mistake</h2>
    <div class="compare-form">
      <label>Mistake <select name="mistake" onChange=${choose}>${page.mistakes.map(({ name, title }) => html`<option value=${name} selected=${name === found.name}>${title}</option>`)}</select></label>
      <label class="wide">Conversation <select name="steps" onChange=${({ target: { value } }) => ((conversation.value = value), run())}>
        <option value="">where it shows</option><option>${OWN}</option>${page.conversations.map((text) => html`<option>${text}</option>`)}</select></label>
    </div>
    <p class="quiet">${code(found.intro)}</p>
    <p id="compare-status" aria-live="polite">${say.value || (answer.value && summary(answer.value))}</p>
    ${answer.value && html`
      ${(right || rows) && html`<div class="panes">${Object.entries(SIDES).map(([side, title]) => html`<${Pane} key=${side} side=${side} title=${title} />`)}</div>`}
      ${rows === null && html`<p class="quiet" id="code-later">Their code appears here when your exercise has been green, or when you have looked at the solution.</p>`}
      <${Finding} finding=${diagnosis} here=${lesson.number} />`}`;
}

function summary({ steps, claim, differs, right, wrong }) {
  if (!right) return "";
  const where = differs ? " The first difference is marked." : " There is no difference.";
  const cut = right.cut || wrong.cut;
  if (steps.length) return html`<span title=${steps.map(({ step }) => step).join(" · ")}>Played: ${stepsInWords(steps)}.</span>${where} ${cut}`;
  if (!differs) return html`No conversation shows it. A check finds it in another way: ${code(claim)}`;
  return html`No conversation here shows it. The lesson’s check does: ${code(claim)}${where} ${cut}`;
}

// One side: a diagram, the full message of the chosen or the first different event, and the code. Blank
// rows in front of the earlier difference bring both to the same height.
function Pane({ side, title }) {
  const box = useRef(null);
  const diagram = useRef(null);
  const transcript = useRef(null);
  const differing = useRef(null);
  useEffect(() => {
    diagram.current = new Diagram(box.current, {
      label: `${title}, as a diagram`,
      onSelect: (entry, isChosen) => (pointed[side].value = isChosen ? entry : differing.current ?? null),
    });
  }, []);
  useSignalEffect(() => {
    const { differs, ...played } = answer.value ?? {};
    if (!played[side] || !diagram.current) return;
    const indexOf = (one) => differs?.[one] ?? played[one].events.length;
    const later = Math.max(indexOf("right"), indexOf("wrong"));
    const rowsOf = (one) => Math.max(played[one].events.length, indexOf(one) + 1) + later - indexOf(one);
    transcript.current = Transcript.from(played[side]);
    differing.current = differs ? transcript.current.entries[indexOf(side)] : undefined;
    diagram.current.setOptions({ className: side === "right" ? lesson.exercise : mistake.peek() });
    diagram.current.show(transcript.current, differs ? { differs: indexOf(side), later, least: Math.max(rowsOf("right"), rowsOf("wrong")) } : {});
    pointed[side].value = differing.current ?? null;
  });
  const { code: rows } = answer.value ?? {};
  const event = pointed[side].value?.event;
  const handler = (event ?? transcript.current?.entries.at(-1)?.event)?.handler;
  return html`
    <figure aria-labelledby="compare-${side}-title"><figcaption id="compare-${side}-title">${title}</figcaption>
      <div id="compare-${side}" class="scroll" ref=${box} hidden=${!answer.value?.right} onScroll=${scrollOther}></div>
      <pre class="event-text">${event ? withoutDirectionMarks(event.literal) : "(nothing)"}</pre>
      ${rows && html`
        <p class="place">${rows[side]}</p>
        <pre class="scroll code-pane" tabindex="0" aria-label="Code: ${rows[side]}" onScroll=${scrollOther}><code>${rows.rows.map(({ [side]: line, differs }) => html`
          <span class="line ${differs ? "differs" : ""} ${line ? "" : "blank"} ${line?.method && line.method === handler ? "highlighted" : ""}" data-line=${line?.number} dangerouslySetInnerHTML=${{ __html: line ? `${differs ? '<span class="visually-hidden">differs: </span>' : ""}${line.html}\n` : "\n" }} />`)}</code></pre>`}
    </figure>`;
}

// Both sides have equal rows, and keep the same position.
function scrollOther({ target }) {
  const kind = target.matches("pre") ? ".code-pane" : ".diagram";
  for (const other of document.querySelectorAll(`#compare ${kind}`)) {
    if (other.scrollTop !== target.scrollTop) other.scrollTop = target.scrollTop;
  }
}
