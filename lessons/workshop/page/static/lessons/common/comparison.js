// Two recordings of the same steps beside each other: the diagrams, where they differ, and both codes.

import { html, useEffect, useRef, useSignal } from "../vendor/preact.js";
import { Diagram } from "../diagram/diagram.js";
import { Transcript } from "../diagram/transcript.js";
import { withoutDirectionMarks } from "./dom.js";

// `answer` is {right, wrong, differs, code}, as play_views.py writes it: two recordings or none, and the
// code of both in aligned rows, or null. `titles` and `classes` are {right, wrong}.
export function Comparison({ answer, titles, classes = {} }) {
  if (!answer.right && !answer.code) return null;
  return html`<div class="panes">${["right", "wrong"].map((side) => html`
    <${Pane} key=${side} side=${side} answer=${answer} title=${titles[side]} className=${classes[side]} />`)}</div>`;
}

// One side: a diagram, the full message of the chosen or the first different event, and the code. Blank
// rows in front of the earlier difference bring both to the same height.
function Pane({ side, answer, title, className }) {
  const { differs, code: rows } = answer;
  const box = useRef(null);
  const diagram = useRef(null);
  const shown = useRef({});
  const pointed = useSignal(null);
  useEffect(() => {
    diagram.current = new Diagram(box.current, {
      label: `${title}, as a diagram`,
      onSelect: (entry, isChosen) => (pointed.value = isChosen ? entry : shown.current.differing ?? null),
    });
  }, []);
  useEffect(() => {
    if (!answer[side]) return;
    const indexOf = (one) => differs?.[one] ?? answer[one].events.length;
    const later = Math.max(indexOf("right"), indexOf("wrong"));
    const rowsOf = (one) => Math.max(answer[one].events.length, indexOf(one) + 1) + later - indexOf(one);
    const transcript = Transcript.from(answer[side]);
    shown.current = { differing: differs ? transcript.entries[indexOf(side)] : null, last: transcript.entries.at(-1) };
    diagram.current.setOptions({ className });
    diagram.current.show(transcript, differs ? { differs: indexOf(side), later, least: Math.max(rowsOf("right"), rowsOf("wrong")) } : {});
    pointed.value = shown.current.differing;
  }, [answer]);
  const event = pointed.value?.event;
  const handler = (event ?? shown.current.last?.event)?.handler;
  return html`
    <figure aria-labelledby="compare-${side}-title"><figcaption id="compare-${side}-title">${title}</figcaption>
      <div id="compare-${side}" class="scroll" ref=${box} hidden=${!answer.right} onScroll=${scrollOther}></div>
      ${answer.right && html`<pre class="event-text">${event ? withoutDirectionMarks(event.literal) : "(nothing)"}</pre>`}
      ${rows && html`
        <p class="place quiet">${rows[side]}</p>
        <pre class="scroll code-pane" tabindex="0" aria-label="Code: ${rows[side]}" onScroll=${scrollOther}><code>${rows.rows.map(({ [side]: line, differs: isOther }) => html`
          <span class="line ${isOther ? "differs" : ""} ${line ? "" : "blank"} ${line?.method && line.method === handler ? "highlighted" : ""}" data-line=${line?.number}
            dangerouslySetInnerHTML=${{ __html: line ? `${isOther ? '<span class="visually-hidden">differs: </span>' : ""}${line.html}\n` : "\n" }} />`)}</code></pre>`}
    </figure>`;
}

// Both sides have equal rows, and keep the same position.
function scrollOther({ target }) {
  const kind = target.matches("pre") ? ".code-pane" : ".diagram";
  for (const other of target.closest(".panes").querySelectorAll(kind)) {
    if (other.scrollTop !== target.scrollTop) other.scrollTop = target.scrollTop;
  }
}
