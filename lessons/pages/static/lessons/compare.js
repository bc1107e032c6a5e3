// A mistake beside the solution: the same conversation with both, and where they part.

import { ask } from "./ask.js";
import { element } from "./message.js";
import { Side } from "./side.js";

const HASH = "#mistake-";
const byId = (id) => document.getElementById(id);

class Compare {
  constructor(section) {
    this.section = section;
    this.form = byId("compare-form");
    this.right = new Side(byId("compare-right"), "The solution, as a diagram");
    this.wrong = new Side(byId("compare-wrong"), "The mistake, as a diagram");
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
    byId("compare-told").textContent = this.form.elements.mistake.selectedOptions[0].dataset.told;
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
    this.form.elements.steps.namedItem("played").hidden = false;
  }

  steps() {
    const { selectedOptions } = this.form.elements.steps;
    if (selectedOptions[0].id !== "played") return selectedOptions[0].value.split("\n").filter(Boolean);
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
      let answer = await ask(url, feed, [name, ...this.steps().map((step) => ["step", step])]);
      if (asked !== this.asked) return;
      this.show(answer);
      if (answer.right) return;
      this.say("No conversation here shows it. Asking the lesson’s checks, which takes longer…");
      answer = await ask(url, feed, [name, ["check", ""]]);
      if (asked === this.asked) this.show(answer);
    } catch (error) {
      if (asked === this.asked) this.say(error.message);
    }
  }

  show({ steps, claim, right, wrong, differs, diagnosis }) {
    byId("compare-result").hidden = false;
    byId("compare-result").querySelector(".sides").hidden = !right?.events.length;
    drawDiagnosis(byId("compare-diagnosis"), diagnosis);
    if (!right) return;
    this.right.show(right, { differs: differs?.right });
    this.wrong.show(wrong, { differs: differs?.wrong });
    this.say(...told(steps, claim, differs), right.cut || wrong.cut);
  }

  say(...parts) {
    byId("compare-said").replaceChildren(...parts.filter(Boolean));
  }
}

function told(steps, claim, differs) {
  const where = differs ? " What differs first is marked." : " Nothing differs in it.";
  if (steps.length) return ["Played: ", element("code", steps.join(" · ")), `.${where} `];
  if (!differs) return ["No conversation shows it; a check finds it otherwise: ", claim];
  return ["No conversation here shows it. The lesson’s check does: ", claim, where, " "];
}

function drawDiagnosis(box, { title, symptom, cause, cure, lesson, url }) {
  const list = document.createElement("dl");
  for (const [name, text] of Object.entries({ "Seen as": symptom, Cause: cause, Cure: cure })) {
    list.append(element("dt", name), element("dd", text));
  }
  box.replaceChildren(element("h3", title), list);
  if (!lesson || location.pathname === url) return;
  const link = element("a", `Lesson ${lesson}`);
  link.href = url;
  box.append(link);
}

const compare = byId("compare") && new Compare(byId("compare"));

// The page's own conversation, for whoever wants to see a mistake in it.
export function offer(played) {
  compare?.offer(played);
}
