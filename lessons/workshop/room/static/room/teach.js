// The instructor's page of a lesson: each transcript can be played, as a moving picture in its place.

import { button, byId, element } from "../lessons/common/dom.js";
import { fetchJson } from "../lessons/common/server.js";
import { transcripts } from "../lessons/diagram/captions.js";
import { MovingPicture } from "../lessons/diagram/moving_picture.js";

const { transcriptUrl } = byId("main").dataset; // of transcript 0

for (const [number, { caption, steps }] of [...transcripts(document)].entries()) {
  const play = caption.appendChild(button("▶ Play this", start));
  play.setAttribute("aria-label", `Play ${steps.join(", ")}`);

  async function start() {
    play.disabled = true;
    play.textContent = "Loading…";
    try {
      const recording = await fetchJson(transcriptUrl.replace(/0\/$/, `${number}/`));
      play.remove();
      const figure = caption.parentElement;
      const stage = element("div", "", "stage scroll");
      figure.querySelector(".events").replaceWith(stage);
      caption.append(button("Pause"));
      new MovingPicture(figure, recording);
    } catch ({ message }) {
      play.disabled = false;
      play.textContent = message;
    }
  }
}
