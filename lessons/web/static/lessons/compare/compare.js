// Compares a mistake with the solution: the server plays the same conversation with both.

import { byId, withCode } from "../common/dom.js";
import { fetchJson, playUrl } from "../common/server.js";

const HASH = "#mistake-";

class Compare {
  constructor(section) {
    this.section = section;
    this.form = byId("compare-form");
    const { mistake } = this.form.elements;
    mistake.onchange = () => this.showIntro();
    this.form.onsubmit = (event) => {
      event.preventDefault();
      // The address becomes a link to this comparison. The page does not scroll.
      history.replaceState(null, "", HASH + mistake.value);
      this.run();
    };
    byId("compare-controls").disabled = false;
    this.showIntro();
    addEventListener("hashchange", () => this.followAddress());
    this.followAddress();
  }

  showIntro() {
    const { intro } = this.form.elements.mistake.selectedOptions[0].dataset;
    byId("compare-intro").replaceChildren(...withCode(intro));
  }

  followAddress() {
    const name = location.hash.startsWith(HASH) && location.hash.slice(HASH.length);
    const { mistake } = this.form.elements;
    if (![...mistake.options].some(({ value }) => value === name)) return;
    mistake.value = name;
    this.showIntro();
    this.section.scrollIntoView();
    const position = scrollY;
    // The result makes the page longer, so that it can scroll further. If the user has scrolled since,
    // the page stays.
    this.run().then(() => scrollY === position && this.section.scrollIntoView());
  }

  // Offers to compare with the steps of this page; `toTexts()` returns them.
  offerPlayedSteps(toTexts) {
    this.playedSteps = toTexts;
    this.form.elements.steps.namedItem("played-steps").hidden = false;
  }

  steps() {
    const [{ id, value }] = this.form.elements.steps.selectedOptions;
    if (id !== "played-steps") return value.split("\n").filter(Boolean);
    const steps = this.playedSteps();
    if (!steps.length) throw new Error("Nothing was played on this page yet. Connect, then compare.");
    return steps;
  }

  async run() {
    const request = (this.latest = Symbol("request")); // an answer to an earlier request is ignored
    const { url, feed } = this.section.dataset;
    const mistake = ["mistake", this.form.elements.mistake.value];
    this.say("Playing it twice…");
    try {
      const steps = this.steps().map((step) => ["step", step]);
      let answer = await fetchJson(playUrl(url, feed, [mistake, ...steps]));
      const { draw } = await import("./comparison.js"); // most visits compare nothing
      if (request !== this.latest) return;
      this.say(...draw(answer));
      if (answer.right) return;
      this.say("No conversation here shows it. Running the lesson’s checks, which takes longer…");
      answer = await fetchJson(playUrl(url, feed, [mistake, ["check", ""]]));
      if (request === this.latest) this.say(...draw(answer));
    } catch (error) {
      if (request === this.latest) this.say(error.message);
    }
  }

  say(...parts) {
    byId("compare-status").replaceChildren(...parts.filter(Boolean));
  }
}

const compare = byId("compare") && new Compare(byId("compare"));

// For the live panel: the user can compare with the steps that were played there.
export function offerPlayedSteps(toTexts) {
  compare?.offerPlayedSteps(toTexts);
}
