// The editor of the student's file: reads, saves, and asks before one version replaces another.

import { byId, button, element, loadCss } from "../common/dom.js";
import { store, stored } from "../common/storage.js";

const DRAFT_INTERVAL = 400; // milliseconds after the last change, until it is kept as a draft
const FILE_CHANGED = "The file has changed on disk, and your text here is not saved.";

// Puts the cursor on a line of the file.
export async function goToLine(line) {
  (await load()).area.goTo(line);
}

class Editor {
  // `area` shows the text: a CodeArea, or a TextArea where that cannot be loaded.
  constructor(box, area, file) {
    Object.assign(this, { box, area, digest: file.digest, saved: file.text, saving: Promise.resolve() });
    this.message = element("span", "", "message");
    this.message.setAttribute("role", "status");
    this.saveButton = button("Save", () => this.save());
    this.saveButton.title = "Ctrl+S";
    const help = element("span", "Esc, then Tab, leaves the editor.", "quiet leave");
    const bar = element("div", "", "editor-bar");
    bar.append(this.saveButton, this.message, help);
    this.conflict = element("div", "", "conflict");
    this.conflict.setAttribute("role", "alert");
    box.replaceChildren(area.element, bar, this.conflict);
    area.onChange = () => this.changed();
    area.onSave = () => this.save();
    this.restoreDraft();
    this.changed();
    this.showFinding();
    addEventListener("pagehide", () => this.keepDraft());
    addEventListener("beforeunload", (event) => this.isChanged && event.preventDefault());
  }

  get isChanged() {
    return this.area.text !== this.saved;
  }

  changed() {
    this.box.toggleAttribute("data-changed", this.isChanged);
    this.saveButton.disabled = !this.isChanged;
    if (this.isChanged) this.say("Not saved");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keepDraft(), DRAFT_INTERVAL);
  }

  say(text) {
    this.message.textContent = text;
  }

  // One save follows the other: the next one must know the version that the one before has made.
  save(options) {
    this.saving = this.saving.then(() => this.write(options));
    return this.saving;
  }

  async write({ overwrite = false } = {}) {
    const { text } = this.area;
    this.say("Saving…");
    const fields = { text, digest: this.digest, ...(overwrite && { overwrite: "yes" }) };
    const { status, answer } = await post(this.box.dataset.url, fields);
    if (status === 409) return this.ask(answer);
    if (status !== 200) return this.say(answer.error);
    this.take({ text, digest: answer.digest });
    if (!this.isChanged) this.say("Saved");
  }

  // This version is in the file now.
  take({ text, digest }) {
    Object.assign(this, { saved: text, digest });
    this.conflict.replaceChildren();
    this.changed();
    this.keepDraft();
  }

  // The file has another version now. An unchanged text follows it; a changed one is never lost.
  async fileChanged(digest) {
    await this.saving; // which may have made that version
    if (digest === this.digest || !digest) return;
    const { status, answer } = await get(this.box.dataset.url);
    if (status !== 200) return this.say(answer.error);
    if (answer.digest === this.digest) return;
    if (this.isChanged && answer.text !== this.area.text) return this.ask(answer);
    this.area.replace(answer.text);
    this.take(answer);
    this.say("Read again from disk");
  }

  ask(file) {
    this.say("");
    this.conflict.replaceChildren(
      element("p", FILE_CHANGED),
      button("Save mine, keep the other as a backup", () => this.save({ overwrite: true })),
      button("Take the file (undo brings mine back)", () => {
        this.area.replace(file.text);
        this.take(file);
      }),
    );
  }

  // Marks the line of the verdict's finding, if the text is the one that was judged.
  showFinding() {
    const finding = byId("finding");
    const title = finding?.querySelector("h3")?.textContent ?? "";
    this.area.markLine(Number(finding?.dataset.line) || null, title);
  }

  // A draft is a text that was not saved, and the version that it began with.
  keepDraft() {
    const { digest, area } = this;
    store(this.draftKey, this.isChanged ? JSON.stringify({ digest, text: area.text }) : "");
  }

  restoreDraft() {
    const draft = JSON.parse(stored(this.draftKey) || "null");
    if (!draft || draft.text === this.saved) return;
    const file = { text: this.saved, digest: this.digest };
    this.area.replace(draft.text);
    if (draft.digest !== file.digest) this.ask(file);
  }

  get draftKey() {
    return `draft ${this.box.dataset.path}`;
  }
}

function get(url) {
  return answerOf(fetch(url, { cache: "no-store" }));
}

function post(url, fields) {
  const token = byId("exercise").querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  const body = new URLSearchParams({ ...fields, csrfmiddlewaretoken: token });
  return answerOf(fetch(url, { method: "POST", body }));
}

async function answerOf(request) {
  try {
    const response = await request;
    return { status: response.status, answer: await response.json() };
  } catch {
    return { status: 0, answer: { error: "The workshop does not answer. Your text is kept here." } };
  }
}

// Without CodeMirror, the page edits the file as plain text.
async function makeArea(text, label) {
  try {
    const { CodeArea } = await import("./code_area.js");
    return new CodeArea(text, label);
  } catch {
    const { TextArea } = await import("./text_area.js");
    return new TextArea(text, label);
  }
}

let loading = null;

function load() {
  loading ??= start(byId("editor"));
  return loading;
}

async function start(box) {
  const [{ status, answer }] = await Promise.all([get(box.dataset.url), loadCss("editor/editor.css")]);
  if (status !== 200) {
    box.replaceChildren(element("p", answer.error, "notice"));
    loading = null;
    throw new Error(answer.error);
  }
  const editor = new Editor(box, await makeArea(answer.text, `The file ${box.dataset.path}`), answer);
  addEventListener("file-changed", ({ detail }) => editor.fileChanged(detail));
  addEventListener("verdict-shown", () => editor.showFinding());
  return editor;
}

load().catch(() => {}); // the box says why
