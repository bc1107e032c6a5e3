// The result of a comparison: two diagrams, where they differ, and the diagnosis.

import { byId, element, loadCss, withCode } from "../common/dom.js";
import { Diagram } from "../diagram/diagram.js";
import { Transcript } from "../diagram/transcript.js";

await loadCss("compare/comparison.css");

// Draws an answer. Returns what to say about it if something was played.
export function draw({ steps, claim, differs, diagnosis, ...played }) {
  byId("compare-result").hidden = false;
  byId("compare-result").querySelector(".panes").hidden = !played.right?.events.length;
  drawDiagnosis(byId("compare-diagnosis"), diagnosis);
  if (!played.right) return [];
  right.show(played.right, { differs: differs?.right });
  wrong.show(played.wrong, { differs: differs?.wrong });
  return [...summary(steps, claim, differs), played.right.cut || played.wrong.cut];
}

function summary(steps, claim, differs) {
  const where = differs ? " The first difference is marked." : " There is no difference.";
  if (steps.length) return ["Played: ", element("code", steps.map(({ step }) => step).join(" · ")), `.${where} `];
  if (!differs) return ["No conversation shows it. A check finds it in another way: ", ...withCode(claim)];
  return ["No conversation here shows it. The lesson’s check does: ", ...withCode(claim), where, " "];
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

// One side of a comparison: a diagram, and the full message of the chosen or first different event.
class ComparisonPane {
  constructor(box, label) {
    Object.assign(this, { box, label });
    this.message = box.parentElement.querySelector(".event-text");
  }

  // `differs` is the index of the first event that differs, null if this side ends before it, and
  // undefined if both sides are the same.
  show(recording, { differs }) {
    const transcript = Transcript.from(recording);
    const index = differs === null ? transcript.entries.length : differs;
    this.differs = transcript.entries[index];
    this.diagram ??= new Diagram(this.box, {
      label: this.label,
      onSelect: (entry, isChosen) => this.showMessage(isChosen ? entry : this.differs),
    });
    this.diagram.show(transcript, { differs: differs === undefined ? null : index });
    this.showMessage(this.differs);
  }

  showMessage(entry) {
    this.message.textContent = entry?.event ? entry.event.literal : "(nothing)";
  }
}

const right = new ComparisonPane(byId("compare-right"), "The solution, as a diagram");
const wrong = new ComparisonPane(byId("compare-wrong"), "The mistake, as a diagram");
