// The picture: what the server recorded, as a diagram, and beside it the code that ran and the event in
// full.

import { html, signal, untracked, useEffect, useRef, useSignalEffect } from "../vendor/preact.js";
import { levelOf, withoutDirectionMarks } from "../common/dom.js";
import { Diagram } from "../diagram/diagram.js";
import { detailsOf, typeOf } from "../diagram/event_text.js";
import { gapText } from "../diagram/layout.js";
import { Transcript } from "../diagram/transcript.js";
import { Clients } from "./client_view.js";
import { addStep, clear, clients, isPlayed, isSlow } from "./clients.js";
import { Finding, code } from "../common/finding.js";
import { stateAt } from "./state_at.js";
import {
  classOf, goTo, isProjector, lesson, live, liveCount, liveVersion, played, pointed, saved, source, sourceChanged,
  step, target, titleOf,
} from "./store.js";

const PROJECTOR_ZOOM = 1.6;
const STEADY_PAUSE = 700; // milliseconds between two events that play
const WAITS = [["wait 1", "1 s later"], ["wait 10", "10 s later"], ["wait 60", "1 min later"]];
// A page's own session and login read these tables. They are noise where a lesson is not about a database.
const SESSION = /\b(django_session|auth_user|auth_permission|django_content_type)\b/;

export const position = signal(null); // how many entries are shown; null: all, and later ones
export const shown = () => saved.value?.transcript ?? live;

// Whether the lesson is about this event.
function isOwn({ event }) {
  if (event?.lane !== "database" || lesson.lanes.includes("database")) return true;
  return !SESSION.test(event.message.sql);
}

// A question may be about another class than the one that plays here: its answer brings the name.
function shownClass() {
  const name = saved.value?.target ?? (step.value === "predict" ? null : target.value);
  return name && classOf(name);
}

export function Wire() {
  return html`
    <div class="stage-head">
      ${saved.value ? html`<${SavedBanner} />` : html`<${LiveHead} />`}
    </div>
    <div class="recording">
      <${Picture} />
      <${Player} />
    </div>
    <${Details} />`;
}

function LiveHead() {
  if (step.value === "predict") return null;
  const { finding, reason } = played.value;
  return html`
    <p class="what quiet" aria-live="polite">
      Plays <b>${titleOf(target.value)}</b>. <span id="reason">${isSlow.value ? "Playing…" : reason}</span>
    </p>
    <${Clients} />
    ${isPlayed() && html`<${Outside} />`}
    ${finding && html`
      <details class="played-finding" id="played-finding" open=${step.value !== "do"}><summary>✗ ${code(finding.title)}</summary>
        <${Finding} finding=${finding} here=${lesson.number} onLine=${step.value === "do" && target.value === "exercise" && ((line) => (goTo.value = { line }))} /></details>`}`;
}

// What happens beside the clients: time passes, or one of the lesson's steps from outside.
function Outside() {
  const hasBegun = clients.value.some(({ status }) => status.value.state !== "idle");
  if (!hasBegun && !lesson.outside.length) return null;
  const steps = [...WAITS, ...lesson.outside.map((text) => [text, text])];
  return html`
    <details class="outside" id="outside"><summary>What happens next</summary>
      <div class="choices">
        ${steps.map(([text, name]) => html`<button type="button" onClick=${() => addStep({ step: text })}>${name}</button>`)}
        ${hasBegun && html`<button type="button" class="quiet" onClick=${() => clear()}>Start over</button>`}
      </div>
    </details>`;
}

// Says what recording is shown instead of the live events.
function SavedBanner() {
  const { title, kind, steps, words, parting } = saved.value;
  // If only one side is an event of the consumer, the other side's event came instead of an answer.
  const isIn = (event) => event?.direction === "in";
  const said = (event, other) => `${isIn(event) && other && !isIn(other) ? "nothing, then " : ""}${typeOf(event)} ${detailsOf(event)}`.trim();
  const side = (name, event, other) => html`
    <div class="side"><b>${name}</b> <code>${event ? said(event, other) : "nothing more"}</code></div>`;
  return html`
    <section class="saved-recording" id="saved-recording" data-kind=${kind} aria-live="polite">
      <p class="saved-head"><b id="saved-title">${title}</b> ${step.value !== "predict" && html`
        <button type="button" id="back-to-live" onClick=${() => (saved.value = null)}>Back to ${step.value === "do" ? "my clients" : "live"}</button>`}</p>
      ${steps.length > 0 && html`<p class="played-words" title=${steps.map((one) => one.step).join(" · ")}>${words}</p>`}
      ${parting && html`<div id="parting" class="parting">${side("Expected", parting.right, parting.wrong)}${side("Received", parting.wrong, parting.right)}</div>`}
    </section>`;
}

function Picture() {
  const box = useRef(null);
  const diagram = useRef(null);
  useEffect(() => {
    diagram.current = new Diagram(box.current, {
      label: "What the server recorded, as a diagram",
      onSelect: (entry, isChosen) => (pointed.value = { entry, isChosen }),
    });
    box.current.diagram = diagram.current; // for tests, which read its layout
  }, []);
  useSignalEffect(() => {
    const { differs = null, plays } = saved.value ?? {};
    const transcript = shown();
    if (!diagram.current) return;
    diagram.current.show(transcript, { differs });
    stop();
    position.value = saved.value && !plays ? Math.min((differs ?? Infinity) + 1, transcript.entries.length) : null;
    if (plays) untracked(start); // what moves while it plays must not start it again
  });
  useSignalEffect(() => {
    diagram.current?.setOptions({ kinds: lesson.lanes, className: shownClass(), matches: isOwn });
  });
  useSignalEffect(() => diagram.current?.zoomTo(isProjector.value ? PROJECTOR_ZOOM : 1));
  useSignalEffect(() => {
    const now = position.value;
    if (diagram.current?.transcript && diagram.current.position !== now) diagram.current.seek(now);
  });
  const isEmpty = !saved.value && liveCount.value === 0;
  const first = step.value === "predict" ? "Answer the question, and what really happens plays here."
    : `${lesson.isHttp ? "Send a request" : "Connect"}, and each event appears here.`;
  return html`
    <div class="diagram-box">
      <div class="scroll" id="diagram" ref=${box}></div>
      ${isEmpty && html`<p class="quiet" id="no-events">${first}</p>`}
    </div>`;
}

// Playing

let timer = 0;
const isPlaying = signal(false);

function start() {
  const { entries } = shown();
  const at = position.value ?? entries.length;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return void (position.value = null);
  position.value = at < entries.length ? at : 0;
  isPlaying.value = true;
  return next();
}

function next() {
  const { entries } = shown();
  if (position.value >= entries.length) return stop();
  timer = setTimeout(() => {
    position.value += 1;
    next();
  }, position.value && STEADY_PAUSE);
}

function stop() {
  clearTimeout(timer);
  isPlaying.value = false;
}

function move(to) {
  stop();
  position.value = to;
}

function Player() {
  liveVersion.value; // the live events are no signal
  const { length } = shown().entries;
  if (!length) return null;
  const at = position.value ?? length;
  return html`
    <div class="player" id="playback" role="group" aria-label="Playback">
      <button type="button" aria-pressed=${isPlaying.value} onClick=${() => (isPlaying.value ? stop() : start())}>${isPlaying.value ? "Stop" : "Play"}</button>
      <input type="range" min="0" max=${length} step="1" value=${at} aria-label="Entries shown" onInput=${({ target: { valueAsNumber } }) => move(valueAsNumber)} />
      <span class="count quiet">${at < length ? `${at} of ${length}` : `${length} events`}</span>
    </div>`;
}

// Below the picture: the code that ran, and the event in full with the state after it

// In Do the editor shows the code. In Predict the code has the width, until the student chooses an event.
function Details() {
  const isWanted = ["see", "wire"].includes(step.value) || pointed.value.isChosen;
  const event = isWanted && !isProjector.value && html`<${EventInFull} />`;
  if (step.value === "do") return event;
  if (step.value === "predict" && !saved.value) return null;
  return html`<section class="details" aria-label="The code, and the chosen event"><${Source} />${event}</section>`;
}

// Of `lines`, {number, method, html}, the numbers to light for `event`: the line that sent it, or the
// first of the handler that it reaches. Without one, the whole handler is lit.
function linesOf(event, lines) {
  if (event?.line) return [event.line];
  const own = lines.filter(({ method }) => method && method === event?.handler);
  const head = event?.direction === "in" && own.find(({ html }) => /\bdef\b/.test(html));
  return (head ? [head] : own).map(({ number }) => number);
}

// The lines to light: those of the chosen event, or of the last one whose handler is in this source.
export function litLines() {
  const { entry, isChosen } = pointed.value;
  liveVersion.value;
  const { lines } = source.value;
  if (isChosen || !entry) return { lines: linesOf(entry?.event, lines), event: entry?.event };
  const methods = new Set(lines.map(({ method }) => method).filter(Boolean));
  const event = shown().entries.slice(0, position.value ?? Infinity).findLast((one) => methods.has(one.event?.handler))?.event;
  return { lines: linesOf(event, lines), event };
}

const placeOf = (event) => (event ? (/^(ThreadPool|asyncio_|Thread-)/.test(event.thread) ? "in a thread" : "on the event loop") : "");

function Source() {
  const box = useRef(null);
  const { place, lines } = source.value;
  const lit = litLines();
  useEffect(() => {
    const [first] = box.current.querySelectorAll(".highlighted");
    if (!first) return;
    const { scrollTop, clientHeight } = box.current; // scrolls this box only: the page must not move
    if (first.offsetTop < scrollTop || first.offsetTop + 40 > scrollTop + clientHeight) {
      box.current.scrollTop = first.offsetTop - clientHeight / 3;
    }
  }, [lit.lines.join(), isProjector.value]);
  return html`
    <section class="source">
      <h2><code id="source-title">${place}</code> <span id="thread" title=${lit.event?.thread}>${placeOf(lit.event)}</span></h2>
      ${sourceChanged.value && html`<p class="notice" id="source-old">This code has changed since the page was loaded. <a href="">Reload the page</a></p>`}
      <div class="scroll" id="source" ref=${box} role="group" aria-labelledby="source-title" tabindex="0"><pre class="numbered"><code>${lines.map((line) => html`
        <span key=${line.number} data-line=${line.number} data-method=${line.method || null} class="i${levelOf(line.html.replace(/<[^>]*>/g, ""))} ${lit.lines.includes(line.number) ? "highlighted" : ""}" dangerouslySetInnerHTML=${{ __html: `${line.html}\n` }} />`)}</code></pre></div>
    </section>`;
}

function EventInFull() {
  liveVersion.value;
  const { entry } = pointed.value;
  const { event, of } = entry ?? {};
  const state = event && stateAt(shown().entries, entry);
  return html`
    <div class="scroll" id="details" role="region" aria-label="The event in full" tabindex="0">
      ${event ? html`
        <p class="facts">${[`Event ${Transcript.idOf(entry)}`, lanesText(event, of), event.handler, event.time - of.begun > 0.0001 && `${((event.time - of.begun) * 1000).toFixed(1)} ms after it began`].filter(Boolean).join(" · ")}</p>
        <pre>${withoutDirectionMarks(event.literal ?? "")}</pre>
        <${State} state=${state} of=${of} />`
      : html`<p class="facts">${entry?.count ? `${gapText(entry)}: the feed cannot carry more.` : entry?.text ?? "Choose an event in the picture. Here stands all of it, and what the consumer remembers then."}</p>`}
    </div>`;
}

function lanesText({ lane, direction }, { client, ordinal }) {
  const consumer = `consumer ${ordinal}`;
  const other = lane === "client" ? `client ${client}`.trim() : lane;
  return { in: `${other} → ${consumer}`, out: `${consumer} → ${other}` }[direction] ?? consumer;
}

function State({ state: { attributes, groups }, of }) {
  const part = (title, items) => items.length > 0 && html`<h3>${title}</h3><dl>${items.map(([term, value, isNew]) => html`
    <dt class=${isNew ? "new" : ""}>${term}</dt><dd class=${isNew ? "new" : ""}>${value}</dd>`)}</dl>`;
  const nameOf = (one) => `consumer ${one.of.ordinal}${one.hasEnded ? " (ended, and still a member)" : ""}`;
  return html`
    <div class="state-parts">
      ${part(`Consumer ${of.ordinal} remembers`, attributes.map(({ name, text, isNew }) => [name, text, isNew]))}
      ${part("Groups", groups.map(({ group, members }) => [group, members.map(nameOf).join(", ")]))}
    </div>`;
}
