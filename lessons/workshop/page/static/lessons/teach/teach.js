// The tab "Teach": the instructor's page of this lesson. Its transcripts can be played in the diagram.

import { button, element, loadCss } from "../common/dom.js";
import { playSteps } from "../links/play_steps.js";

await loadCss("teach/teach.css");

// Loads the page. A user who may not read it gets a link to the login, and the next visit tries again.
export async function showTeachPage(box, panel, recording) {
  if (box.dataset.loaded) return;
  const answer = await fetch(box.dataset.url, { headers: { "X-Part": "teach" }, cache: "no-store" }).catch(() => null);
  if (!answer || ![200, 403].includes(answer.status)) {
    box.replaceChildren(element("p", "The workshop did not answer. Open this tab again."));
    return;
  }
  box.innerHTML = await answer.text(); // the server's own page
  if (!answer.ok) return;
  box.dataset.loaded = "yes";
  for (const caption of box.querySelectorAll(".transcript figcaption")) addPlay(caption, panel, recording);
}

// The caption of a transcript is the name of a target, and a code element for each step.
function readCaption(caption) {
  const steps = [...caption.querySelectorAll("code")].map((step) => step.textContent);
  return { target: caption.firstChild.textContent.trim(), steps };
}

function addPlay(caption, panel, recording) {
  const found = readCaption(caption);
  const status = element("span", "");
  status.setAttribute("role", "status");
  const play = button("Play", async () => {
    status.textContent = "Playing…";
    try {
      await playSteps(panel, recording, found);
      status.textContent = "";
    } catch (error) {
      status.textContent = error.message;
    }
  });
  play.setAttribute("aria-label", `Play ${found.steps.join(", ")}`);
  caption.append(" ", play, " ", status);
}
