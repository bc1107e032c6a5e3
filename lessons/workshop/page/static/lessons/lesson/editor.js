// The editor of the student's file: reads, saves, and asks before one version replaces another.

import { computed, effect, html, signal, useEffect, useRef } from "../vendor/preact.js";
import { fetchJson } from "../common/server.js";
import { store, stored } from "../common/storage.js";
import { litLines } from "./picture.js";
import { exercise, fileDigest, goTo, isStale, page, pointed, post, saved as recording, step, target, verdict } from "./store.js";

const DRAFT_INTERVAL = 400; // milliseconds after the last change, until it is kept as a draft
const FILE_CHANGED = "The file has changed on disk, and your text here is not saved.";
const KEY = `draft ${page.exercise.path}`;

const message = signal("");
const conflict = signal(null); // the other version: {text, digest}
const file = signal(null); // the version that the text began with: {text, digest}
const text = signal("");
const isChanged = computed(() => file.value !== null && text.value !== file.value.text);
let area = null; // a CodeArea, once it is loaded
let saving = Promise.resolve();
let timer = 0;
let isStarted = false;

const read = () => fetchJson(`${page.base}file/`);

async function start(box) {
  const [found, { CodeArea }] = await Promise.all([read(), import("./code_area.js")]);
  area = new CodeArea(found.text, `The file ${page.exercise.path}`);
  take(found);
  area.onChange = changed;
  area.onSave = () => save();
  box.replaceChildren(area.element);
  restoreDraft();
  changed();
  effect(() => markFinding());
  effect(() => markLit());
  effect(() => {
    if (!goTo.value) return;
    area.goTo(goTo.value.line);
    goTo.value = null;
  });
  effect(() => void fileChanged(fileDigest.value));
}

function take({ text: now, digest }) {
  file.value = { text: now, digest };
  conflict.value = null;
}

function changed() {
  text.value = area.text;
  if (isChanged.value) message.value = "Not saved";
  clearTimeout(timer);
  timer = setTimeout(keepDraft, DRAFT_INTERVAL);
}

// One save follows the other: the next one must know the version that the one before has made.
export function save(options) {
  saving = saving.then(() => write(options));
  return saving;
}

async function write({ overwrite = false } = {}) {
  const { text: now } = area;
  message.value = "Saving…";
  const fields = { text: now, digest: file.value.digest, ...(overwrite && { overwrite: "yes" }) };
  const { status, answer } = await post("file", fields);
  if (status === 409) return void (conflict.value = answer);
  if (status !== 200) return void (message.value = `${answer.error} Your text is kept here.`);
  take({ text: now, digest: answer.digest });
  keepDraft();
  message.value = isChanged.value ? "Not saved" : "Saved";
  return undefined;
}

// The file has another version now. An unchanged text follows it; a changed one is never lost.
async function fileChanged(digest) {
  await saving; // which may have made that version
  if (!digest || digest === file.value.digest) return;
  const found = await read().catch(() => null);
  if (!found || found.digest === file.value.digest) return;
  if (isChanged.value && found.text !== area.text) {
    conflict.value = found;
    return;
  }
  takeOther(found);
  message.value = "Read again from disk";
}

function takeOther(found) {
  area.replace(found.text);
  take(found);
  changed();
}

// A draft is a text that was not saved, and the version that it began with.
function keepDraft() {
  store(KEY, isChanged.value ? JSON.stringify({ digest: file.value.digest, text: area.text }) : "");
}

function restoreDraft() {
  const draft = JSON.parse(stored(KEY) || "null");
  if (!draft || draft.text === file.value.text) return;
  const now = file.value;
  area.replace(draft.text);
  if (draft.digest !== now.digest) conflict.value = now;
}

// Marks the line of the verdict's finding, if the text is the one that was judged.
function markFinding() {
  const finding = verdict.value?.finding;
  const isShown = finding?.line && !isStale.value && !isChanged.value && exercise.value.path.endsWith(finding.file);
  area.markLine(isShown ? finding.line : null, finding?.title ?? "");
}

// Lights the line that sent the event which the picture points at.
function markLit() {
  const isOwn = target.value === "exercise" || recording.value?.target === "exercise";
  const isShown = isOwn && step.value === "do" && !isChanged.value;
  area.light(isShown ? litLines().lines : [], pointed.value.isChosen);
}

export function Editor() {
  const box = useRef(null);
  const isWanted = step.value === "do";
  useEffect(() => {
    if (!isWanted || isStarted) return;
    isStarted = true;
    start(box.current).catch(({ message: reason }) => (message.value = reason));
  }, [isWanted]);
  return html`
    <div id="editor" data-path=${page.exercise.path} data-changed=${isChanged.value ? "" : null}>
      <div class="area" ref=${box}></div>
      <div class="editor-bar">
        ${isChanged.value && html`<button type="button" class="primary" title="Ctrl+S" onClick=${() => save()}>Save</button>`}
        <span class="message" role="status">${message.value}</span>
        <span class="quiet leave">${page.exercise.path} · Esc, then Tab, leaves the editor</span>
      </div>
      <div class="conflict" role="alert">${conflict.value && html`
        <p>${FILE_CHANGED}</p>
        <button type="button" onClick=${() => save({ overwrite: true })}>Save mine, keep the other as a backup</button>
        <button type="button" onClick=${() => takeOther(conflict.value)}>Take the file (undo brings mine back)</button>`}</div>
    </div>`;
}

addEventListener("pagehide", () => area && keepDraft());
addEventListener("beforeunload", (event) => isChanged.value && event.preventDefault());
