// On an instructor's page: each transcript has a link that plays it on the lesson's page.

import { linkTo } from "../lesson/address.js";
import { element } from "./dom.js";

const { lesson } = document.querySelector("article").dataset;

// The caption of a transcript is the name of a target, and a code element for each step.
for (const caption of document.querySelectorAll(".transcript figcaption")) {
  const steps = [...caption.querySelectorAll("code")].map((step) => step.textContent);
  const play = element("a", "▶ Play this", "play");
  play.href = linkTo(new URL(lesson, location.href), caption.firstChild.textContent.trim(), steps);
  play.setAttribute("aria-label", `Play ${steps.join(", ")}`);
  caption.append(" ", play);
}
