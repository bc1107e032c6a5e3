// The menu of a lesson's page: everything that a newcomer does not need at once, with its keys.

import { html, signal } from "../vendor/preact.js";
import { byId } from "../common/dom.js";
import { linkTo } from "./address.js";
import { MAX_CLIENTS, addClient, clear, clients, playTarget, steps } from "./clients.js";
import {
  EXAMPLE, announcement, asTable, ask, exercise, hasLog, isProjector, lesson, page, play, step, target, titleOf,
} from "./store.js";

const status = signal("");

const close = () => byId("menu").close();
const press = (action) => () => {
  close();
  action();
};

async function copyLink() {
  const played = steps.toTexts();
  try {
    if (!played.length) throw new Error("Nothing has been played yet. Connect, then copy the link.");
    const { steps: texts } = await play("steps", played.map((one) => ["step", one]));
    try {
      await navigator.clipboard.writeText(linkTo(location.href, target.value, texts));
      status.value = "The link is copied.";
    } catch {
      status.value = "This browser does not let a page copy.";
    }
  } catch ({ message }) {
    status.value = message;
  }
  announcement.value = status.value;
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
    </section>
    <section><h3>View</h3>
      <${Item} name="Table" keys="t" pressed=${asTable.value} onPress=${toggle(asTable)} />
      <${Item} name="What the browser received" keys="b" pressed=${hasLog.value} onPress=${toggle(hasLog)} />
      <${Item} name="Projector" keys="P" pressed=${isProjector.value} onPress=${toggle(isProjector)} />
    </section>
    <section><h3>${step.value === "do" ? "Help, and keep" : "Keep"}</h3>
      ${step.value === "do" && hints.length < hintsInAll && html`<${Item} name="Show a hint" keys="h" onPress=${() => ask("hint")} />`}
      <${Item} name="Copy a link" onPress=${copyLink} />
      <p id="file-status" role="status">${status.value}</p>
    </section>`;
}
