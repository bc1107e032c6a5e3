// On an instructor's page: each transcript has a link that plays it on the lesson's page.

import { transcripts } from "../diagram/captions.js";
import { linkTo } from "../lesson/address.js";
import { element } from "./dom.js";

const { lesson } = document.querySelector("article").dataset;

for (const { caption, target, steps } of transcripts(document)) {
  const play = element("a", "▶ Play this", "play");
  play.href = linkTo(new URL(lesson, location.href), target, steps);
  play.setAttribute("aria-label", `Play ${steps.join(", ")}`);
  caption.append(" ", play);
}
