// What the clients of the page connect to: the worked example, the student's exercise, the solution
// or a mistake. The server runs all but the first in a separate process, and reports its state.

import { byId, button, element, loadCss, withCode } from "../common/dom.js";
import { showStep } from "../workspace/steps.js";
import { fetchSource } from "./source_view.js";

await loadCss("live/playing.css");

const EXAMPLE = "example";
const STATES = {
  starting: "Starting…",
  ready: "Ready.",
  restarted: "Restarted after your save.",
  ended: "Stopped.",
};

export class Playing {
  target = EXAMPLE;

  constructor(clients, recording) {
    Object.assign(this, { clients, recording });
    clients.playing = this;
    this.select = byId("target");
    this.status = byId("played-state");
    this.findingBox = byId("played-finding");
    this.outside = byId("outside");
    this.select.onchange = () => this.play(this.select.value);
    this.outside?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.sayOutside("");
      clients.request({ outside: Number(this.outside.elements.step.value) });
    });
  }

  // What a client adds to its path.
  get options() {
    if (this.target === EXAMPLE) return {};
    return { lesson: this.clients.panel.dataset.lesson, target: this.target };
  }

  // Why a client was rejected, if no event says it. "" if the recording knows it.
  get reason() {
    return this.target !== EXAMPLE && this.state !== "ready" ? "Not opened: its code does not run." : "";
  }

  play(target) {
    this.target = target;
    this.state = "";
    this.say("");
    this.show(null);
    if (this.outside) this.outside.hidden = target === EXAMPLE;
    this.clients.drop();
    byId("clear").click();
    if (target !== EXAMPLE) this.update({ target, state: "starting", finding: null });
    this.clients.request({ play: { lesson: this.clients.panel.dataset.lesson, target } });
    this.showSource();
  }

  // Takes what the server reports. `state` is a key of STATES, or "refused" with a reason.
  update({ target, state, finding, reason }) {
    if (target !== this.target) return;
    const hasChanged = state !== this.state;
    this.state = state;
    const isIdle = state === "ended" && !finding;
    this.say(isIdle ? "Stopped: no client came. Connect to start it again." : reason ?? STATES[state], state);
    this.show(finding);
    if (state === "restarted") this.state = "ready";
    if (hasChanged && !["starting", "refused"].includes(state)) this.showSource();
    if (state === "restarted") this.clients.reconnect();
  }

  // Takes the result of a step from outside.
  sayOutside(text) {
    byId("outside-result").textContent = text;
  }

  say(text, state = "") {
    this.status.textContent = text;
    this.status.dataset.state = state;
  }

  show(finding) {
    this.findingBox.hidden = !finding;
    if (!finding) return;
    const { title, where, symptom, cause, cure, detail, line } = finding;
    const summary = element("summary", "");
    summary.append(element("b", title), " ", element("span", where, "quiet"));
    if (line && this.target === "exercise") summary.append(" ", button(`Go to line ${line}`, () => goToLine(line)));
    const texts = Object.entries({ Symptom: symptom, Cause: cause, Cure: cure }).map(([name, text]) => {
      const paragraph = element("p", "");
      paragraph.append(element("b", `${name}: `), ...withCode(text));
      return paragraph;
    });
    this.findingBox.replaceChildren(summary, ...texts);
    if (detail) this.findingBox.append(element("pre", detail));
  }

  async showSource() {
    const { target } = this;
    try {
      const source = await fetchSource(this.clients.panel, target);
      if (target === this.target) this.recording.setLiveSource(source);
    } catch (error) {
      if (target === this.target) this.recording.setLiveSource({ place: error.message, lines: [] });
    }
  }
}

function goToLine(line) {
  showStep("do");
  byId("editor").dispatchEvent(new CustomEvent("go-to-line", { detail: line }));
}
