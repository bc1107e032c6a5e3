// Hides the students' names, for a projector: "Student 7" instead of the name, on all pages of the
// room. This browser remembers it. A page that the server renders has each name twice, and room.css
// shows one of both. Until this module runs, it shows neither.

import { withoutDirectionMarks } from "../lessons/common/dom.js";
import { store, stored } from "../lessons/common/storage.js";
import { effect, html, signal } from "../lessons/vendor/preact.js";

const KEY = "room-names";

export const areHidden = signal(stored(KEY) === "hidden");

// The name that the page shows now, as text and as an element.
export const shownName = ({ number, name }) => (areHidden.value ? `Student ${number}` : withoutDirectionMarks(name));

export function Name({ row }) {
  return html`<bdi class=${areHidden.value ? "hidden-name" : "real-name"}>${shownName(row)}</bdi>`;
}

effect(() => {
  const choice = areHidden.value ? "hidden" : "shown";
  document.documentElement.dataset.names = choice;
  for (const button of document.querySelectorAll(".hide-names")) {
    button.setAttribute("aria-pressed", areHidden.value);
    button.onclick = () => {
      areHidden.value = !areHidden.value;
      store(KEY, areHidden.value ? "hidden" : "shown");
    };
  }
});
addEventListener("storage", ({ key, newValue }) => {
  if (key === KEY) areHidden.value = newValue === "hidden"; // another tab has changed it
});
