// The menu of a lesson's page: everything that a newcomer does not need at once, with its keys.

import { html, signal, useEffect, useRef } from "../vendor/preact.js";
import { byId } from "../common/dom.js";
import { fetchJson } from "../common/server.js";
import { linkTo } from "./address.js";
import { MAX_CLIENTS, addClient, clear, clients, playTarget, steps } from "./clients.js";
import { lastConnection } from "./played_steps.js";
import {
  EXAMPLE, announcement, asTable, ask, exercise, filter, hasLog, isProjector, lesson, page, play, playUrl, speed, step, target, titleOf, zoom,
} from "./store.js";

const MAX_STEPS = 40; // of a test, as play_views.py allows them
const ZOOMS = [0.8, 1, 1.25, 1.6];
const status = signal("");
const test = signal(null); // {name, source, note} of the test that the dialog shows, or {note}

const close = () => byId("menu").close();
const press = (action) => () => {
  close();
  action();
};

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

async function copyLink() {
  const played = steps.toTexts();
  try {
    if (!played.length) throw new Error("Nothing has been played yet. Connect, then copy the link.");
    const { steps: texts } = await play("steps", played.map((one) => ["step", one]));
    const isCopied = await copy(linkTo(location.href, target.value, texts));
    status.value = isCopied ? "The link is copied." : "This browser does not let a page copy.";
  } catch ({ message }) {
    status.value = message;
  }
  announcement.value = status.value;
}

async function exportTest() {
  test.value = { note: "Playing…" };
  byId("export-dialog").showModal();
  try {
    const played = steps.toTexts();
    const chosen = played.length > MAX_STEPS ? lastConnection(played) : played;
    const note = `You played ${played.length} steps. A test has at most ${MAX_STEPS}.`;
    if (chosen.length > MAX_STEPS) throw new Error(`${note} Choose Clear in the menu, then play a shorter conversation.`);
    const body = new URLSearchParams([["feed", page.feed], ["target", target.value], ...chosen.map((one) => ["step", one])]);
    const headers = { "X-CSRFToken": document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "" };
    const made = await fetchJson(playUrl("pytest").split("?")[0], { method: "POST", body, headers });
    test.value = { ...made, note: chosen === played ? "" : `${note} So this test has the last connection only.` };
  } catch ({ message }) {
    test.value = { note: message };
  }
}

function Item({ name, keys, onPress, disabled = false, pressed }) {
  return html`<button type="button" data-key=${keys} disabled=${disabled} aria-pressed=${pressed} onClick=${press(onPress)}>${name}${keys && html` <kbd>${keys}</kbd>`}</button>`;
}

const toggle = (state) => () => (state.value = !state.value);

export function Menu() {
  const { solution, hints, hintsInAll } = exercise.value;
  const targets = [EXAMPLE, ...(lesson.isPlayable ? ["exercise", "solution", ...page.mistakes.map(({ name }) => `mistake:${name}`)] : [])];
  return html`
    <section><h3>Play</h3>
      ${lesson.isPlayable && html`
        <label>Playing: <select id="target" onChange=${({ target: { value } }) => playTarget(value)}>${targets.map((name) => html`
          <option value=${name} selected=${name === target.value} disabled=${name === "solution" && !solution}>${titleOf(name)}</option>`)}</select></label>`}
      ${!lesson.isHttp && html`<${Item} name="Add a client" keys="a" disabled=${clients.value.length === MAX_CLIENTS} onPress=${() => addClient()} />`}
      <${Item} name="Clear" onPress=${clear} />
      ${page.mistakes.length > 0 && html`<${Item} name="Compare with a mistake" keys="m" onPress=${() => (step.value = "compare")} />`}
      <label>Speed of Play <select onChange=${({ target: { value } }) => (speed.value = value)}>${[["steady", "steady"], ["1", "as it was"], ["0.1", "ten times slower"]].map(([value, name]) => html`<option value=${value} selected=${value === speed.value}>${name}</option>`)}</select></label>
    </section>
    <section><h3>View</h3>
      <${Item} name="Table" keys="t" pressed=${asTable.value} onPress=${toggle(asTable)} />
      <${Item} name="What the browser received" keys="b" pressed=${hasLog.value} onPress=${toggle(hasLog)} />
      <${Item} name="Projector" keys="P" pressed=${isProjector.value} onPress=${toggle(isProjector)} />
      <label>Zoom <select onChange=${({ target: { value } }) => (zoom.value = Number(value))}>${ZOOMS.map((value) => html`<option value=${value} selected=${value === zoom.value}>${100 * value} %</option>`)}</select></label>
      <label>Filter <input type="search" name="filter" value=${filter.value} placeholder="send close -layer" title="Words of a type, a lane, a handler or a payload. A minus leaves events out." autocomplete="off" spellcheck="false" onInput=${({ target: { value } }) => (filter.value = value)} /></label>
    </section>
    <section><h3>${step.value === "do" ? "Help, and keep" : "Keep"}</h3>
      ${step.value === "do" && hints.length < hintsInAll && html`<${Item} name="Show a hint" keys="h" onPress=${() => ask("hint")} />`}
      <${Item} name="Copy a link" onPress=${copyLink} />
      <${Item} name="Export as a test" onPress=${exportTest} />
      <p id="file-status" role="status">${status.value}</p>
    </section>`;
}

export function Export() {
  const box = useRef(null);
  const { name, source, note } = test.value ?? {};
  const link = useRef("");
  useEffect(() => {
    URL.revokeObjectURL(link.current);
    link.current = source ? URL.createObjectURL(new Blob([source], { type: "text/x-python" })) : "";
    if (box.current) box.current.href = link.current;
  }, [source]);
  const copySource = async () => {
    const isCopied = await copy(source);
    test.value = { ...test.value, note: isCopied ? "Copied." : "This browser does not let a page copy." };
  };
  return html`
    <h2 id="export-title">What you played, as a test</h2>
    <p>The server plays your steps again, in an empty database. The test sends what your clients sent, and asserts what they received. It imports the code that you played.</p>
    <p id="export-status" aria-live="polite">${note}</p>
    ${source && html`
      <p>Save it in tests/, then run <code>python3 manage.py test tests/${name}</code></p>
      <pre class="scroll" id="export-source" tabindex="0" role="region" aria-label="The test">${source}</pre>`}
    <form method="dialog">
      ${source && html`<button type="button" onClick=${copySource}>Copy</button> <a ref=${box} download=${name}>Download</a> `}
      <button>Close</button>
    </form>`;
}
