// A mistake beside the solution: the same conversation with both, and where they part.

import { byId, withCode } from "../common/dom.js";
import { fetchJson, playUrl } from "../common/server.js";

const HASH = "#mistake-";

class Compare {
  constructor(section) {
    this.section = section;
    this.form = byId("compare-form");
    const { mistake } = this.form.elements;
    mistake.onchange = () => this.introduce();
    this.form.onsubmit = (event) => {
      event.preventDefault();
      // In the address, for a link to it; the page stays where it is.
      history.replaceState(null, "", HASH + mistake.value);
      this.run();
    };
    byId("compare-controls").disabled = false;
    this.introduce();
    addEventListener("hashchange", () => this.follow());
    this.follow();
  }

  introduce() {
    const { intro } = this.form.elements.mistake.selectedOptions[0].dataset;
    byId("compare-intro").replaceChildren(...withCode(intro));
  }

  follow() {
    const name = location.hash.startsWith(HASH) && location.hash.slice(HASH.length);
    const { mistake } = this.form.elements;
    if (![...mistake.options].some(({ value }) => value === name)) return;
    mistake.value = name;
    this.introduce();
    this.section.scrollIntoView();
    const here = scrollY;
    // Once more when there is room below, for whoever has not gone elsewhere meanwhile.
    this.run().then(() => scrollY === here && this.section.scrollIntoView());
  }

  // `played()` gives the steps of what was done on this page.
  offer(played) {
    this.played = played;
    this.form.elements.steps.namedItem("played-steps").hidden = false;
  }

  steps() {
    const { selectedOptions } = this.form.elements.steps;
    if (selectedOptions[0].id !== "played-steps") return selectedOptions[0].value.split("\n").filter(Boolean);
    const steps = this.played();
    if (!steps.length) throw new Error("Nothing was played on this page yet. Connect, then compare.");
    return steps;
  }

  async run() {
    const asked = (this.asked = Symbol("the last one asked for"));
    const { url, feed } = this.section.dataset;
    const name = ["mistake", this.form.elements.mistake.value];
    this.say("Playing it twice…");
    try {
      let answer = await fetchJson(playUrl(url, feed, [name, ...this.steps().map((step) => ["step", step])]));
      const { draw } = await import("./comparison.js"); // most visits compare nothing
      if (asked !== this.asked) return;
      this.say(...draw(answer));
      if (answer.right) return;
      this.say("No conversation here shows it. Asking the lesson’s checks, which takes longer…");
      answer = await fetchJson(playUrl(url, feed, [name, ["check", ""]]));
      if (asked === this.asked) this.say(...draw(answer));
    } catch (error) {
      if (asked === this.asked) this.say(error.message);
    }
  }

  say(...parts) {
    byId("compare-status").replaceChildren(...parts.filter(Boolean));
  }
}

const compare = byId("compare") && new Compare(byId("compare"));

// The page's own conversation, for whoever wants to see a mistake in it.
export function offer(played) {
  compare?.offer(played);
}
