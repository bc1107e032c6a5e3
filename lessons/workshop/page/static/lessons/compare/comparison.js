// The result of a comparison: two diagrams, where they differ, the code of both, and the diagnosis.

import { byId, element, loadCss, withCode, withoutDirectionMarks } from "../common/dom.js";
import { Diagram } from "../diagram/diagram.js";
import { Transcript } from "../diagram/transcript.js";
import { CodeRows, scrollTogether } from "./code_rows.js";

await loadCss("compare/comparison.css");

// Draws an answer. Returns what to say about it if something was played.
export function draw({ steps, claim, differs, diagnosis, code: found, ...played }) {
  byId("compare-result").hidden = false;
  const panes = byId("compare-result").querySelector(".panes");
  panes.hidden = !played.right?.events.length && !found;
  panes.classList.toggle("code-only", !played.right?.events.length);
  byId("code-later").hidden = found !== null;
  code.show(found);
  drawDiagnosis(byId("compare-diagnosis"), diagnosis);
  if (!played.right) return [];
  // Blank rows in front of the earlier one bring the first difference to the same height.
  const indexOf = (side) => differs?.[side] ?? played[side].events.length;
  const later = Math.max(indexOf("right"), indexOf("wrong"));
  const rowsOf = (side) => Math.max(played[side].events.length, indexOf(side) + 1) + later - indexOf(side);
  const least = Math.max(rowsOf("right"), rowsOf("wrong"));
  right.show(played.right, { differs: differs?.right, later, least });
  wrong.show(played.wrong, { differs: differs?.wrong, later, least });
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
  constructor(box) {
    const figure = box.parentElement;
    const label = `${figure.querySelector("figcaption").textContent}, as a diagram`;
    Object.assign(this, { box, label, message: figure.querySelector(".event-text") });
  }

  // `differs` is the index of the first event that differs, null if this side ends before it, and
  // undefined if both sides are the same.
  show(recording, { differs, ...heights }) {
    const transcript = Transcript.from(recording);
    const index = differs === null ? transcript.entries.length : differs;
    this.differs = transcript.entries[index];
    this.last = transcript.entries.at(-1);
    this.diagram ??= new Diagram(this.box, {
      label: this.label,
      onSelect: (entry, isChosen) => this.showMessage(isChosen ? entry : this.differs),
    });
    this.diagram.show(transcript, differs === undefined ? {} : { differs: index, ...heights });
    this.showMessage(this.differs);
  }

  showMessage(entry) {
    this.message.textContent = entry?.event ? withoutDirectionMarks(entry.event.literal) : "(nothing)";
    code.highlight((entry ?? this.last)?.event?.handler);
  }
}

const code = new CodeRows({ right: byId("code-right"), wrong: byId("code-wrong") });
const boxes = [byId("compare-right"), byId("compare-wrong")];
const [right, wrong] = boxes.map((box) => new ComparisonPane(box));
scrollTogether(...boxes);
