// The menu of a lesson's page: everything that a newcomer does not need at once, with its keys.

import { html } from "../vendor/preact.js";
import { byId } from "../common/dom.js";
import { MAX_CLIENTS, addClient, clear, clients, playTarget } from "./clients.js";
import { ask, exercise, isProjector, lesson, page, step, target } from "./store.js";

const close = () => byId("menu").close();
const press = (action) => () => {
  close();
  action();
};

function Item({ name, keys, onPress, disabled = false, pressed }) {
  return html`<button type="button" data-key=${keys} disabled=${disabled} aria-pressed=${pressed} onClick=${press(onPress)}>${name}${keys && html` <kbd>${keys}</kbd>`}</button>`;
}

export function Menu() {
  const { solution, hints, hintsInAll } = exercise.value;
  return html`
    <section><h3>Play</h3>
      ${lesson.isPlayable && html`
        <label>Playing: <select id="target" onChange=${({ target: { value } }) => playTarget(value)}>${page.targets.map(({ name, title }) => html`
          <option value=${name} selected=${name === target.value} disabled=${name === "solution" && !solution}>${title}</option>`)}</select></label>`}
      ${!lesson.isHttp && html`<${Item} name="Add a client" keys="a" disabled=${clients.value.length === MAX_CLIENTS} onPress=${() => addClient()} />`}
      <${Item} name="Clear" onPress=${() => clear()} />
      ${page.mistakes.length > 0 && html`<${Item} name="Compare with a mistake" keys="m" onPress=${() => (step.value = "compare")} />`}
    </section>
    <section><h3>View</h3>
      <${Item} name="Projector" keys="P" pressed=${isProjector.value} onPress=${() => (isProjector.value = !isProjector.value)} />
    </section>
    ${step.value === "do" && hints.length < hintsInAll && html`
      <section><h3>Hints</h3><${Item} name="Show a hint" keys="h" onPress=${() => ask("hint")} /></section>`}`;
}
