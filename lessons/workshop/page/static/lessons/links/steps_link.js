// Copies a link that carries steps, and offers to play the steps of a link. A link carries no code:
// what is on the disk plays them, and only when the user asks for it.

import { button, byId, element, loadCss } from "../common/dom.js";
import { feedOf, fetchJson, playUrl } from "../common/server.js";
import { showStep } from "../workspace/steps.js";
import { linkTo, readLink } from "./address.js";
import { playSteps, titleOf } from "./play_steps.js";

const parse = (panel, steps) => {
  return fetchJson(playUrl(panel.dataset.steps, feedOf(panel), steps.map((step) => ["step", step])));
};

// Copies a link to what the clients of this page have played.
export async function copyLink(panel, played) {
  if (!played.length) return say("Nothing has been played yet. Connect, then copy the link.");
  try {
    const { steps } = await parse(panel, played);
    const link = linkTo(location.href, byId("target")?.value ?? "example", steps);
    await navigator.clipboard.writeText(link);
    return say("The link is copied.");
  } catch (error) {
    return say(`The link was not copied: ${error.message}`);
  }
}

// Shows what the steps of this page's address are, with a button that plays them.
export async function offerSteps(panel, recording) {
  const { target, steps: given } = readLink(location.href);
  await loadCss("links/links.css");
  showStep("wire");
  const box = element("div", "", "linked-steps");
  byId("recording").before(box);
  try {
    const { steps } = await parse(panel, given);
    const text = element("p", `This link plays on ${titleOf(target)}: `);
    text.append(element("code", steps.join(" · ")));
    const play = button("Play these steps", async () => {
      try {
        await playSteps(panel, recording, { target, steps });
        box.remove();
      } catch (error) {
        text.textContent = error.message;
      }
    });
    box.append(text, play);
  } catch (error) {
    box.append(element("p", `The steps of this link cannot be played. ${error.message}`));
  }
  box.append(button("Dismiss", () => box.remove()));
}

function say(text) {
  byId("file-status").textContent = text;
}
