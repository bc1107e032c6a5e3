// What comparing has shown: two diagrams, where they part, and the diagnosis.

import { coded, element } from "./message.js";
import { Side } from "./side.js";
import { style } from "./style.js";

await style("./compared.css");

const byId = (id) => document.getElementById(id);
const right = new Side(byId("compare-right"), "The solution, as a diagram");
const wrong = new Side(byId("compare-wrong"), "The mistake, as a diagram");

// Draws an answer; what is to be said of it, where something was played.
export function draw({ steps, claim, differs, diagnosis, ...played }) {
  byId("compare-result").hidden = false;
  byId("compare-result").querySelector(".sides").hidden = !played.right?.events.length;
  drawDiagnosis(byId("compare-diagnosis"), diagnosis);
  if (!played.right) return [];
  right.show(played.right, { differs: differs?.right });
  wrong.show(played.wrong, { differs: differs?.wrong });
  return [...told(steps, claim, differs), played.right.cut || played.wrong.cut];
}

function told(steps, claim, differs) {
  const where = differs ? " What differs first is marked." : " Nothing differs in it.";
  if (steps.length) return ["Played: ", element("code", steps.join(" · ")), `.${where} `];
  if (!differs) return ["No conversation shows it; a check finds it otherwise: ", ...coded(claim)];
  return ["No conversation here shows it. The lesson’s check does: ", ...coded(claim), where, " "];
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
