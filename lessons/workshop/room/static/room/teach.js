// The instructor's page of a lesson: each transcript can be played, as a moving picture in its place.

import { byId, element } from "../lessons/common/dom.js";
import { fetchJson } from "../lessons/common/server.js";
import { movePicture } from "../lessons/diagram/moving_picture.js";

const { transcriptUrl } = byId("main").dataset; // of transcript 0

for (const [number, play] of document.querySelectorAll("a.play").entries()) {
  play.onclick = async (event) => {
    event.preventDefault();
    play.textContent = "Loading…";
    try {
      const recording = await fetchJson(transcriptUrl.replace(/0\/$/, `${number}/`));
      const figure = play.closest("figure");
      const stage = element("div", "", "stage scroll");
      figure.querySelector(".events").replaceWith(stage);
      play.replaceWith(element("button", "Pause"));
      movePicture(figure, recording);
    } catch ({ message }) {
      play.textContent = message;
    }
  };
}
