// Hides the students' names, for a projector: "Student 7" instead of the name, on all pages of the
// room. This browser remembers it. Each name is in the document twice, and room.css shows one of both.
// Until this module runs, it shows neither.

import { element, withoutDirectionMarks } from "../lessons/common/dom.js";
import { store, stored } from "../lessons/common/storage.js";

const KEY = "room-names";
const root = document.documentElement;
const changes = new EventTarget();

export const namesAreHidden = () => root.dataset.names === "hidden";

// The name that the page shows now.
export const shownName = (row) => (namesAreHidden() ? pseudonym(row) : withoutDirectionMarks(row.name));

const pseudonym = ({ number }) => `Student ${number}`;

// Both names of a student, for the document.
export function nameParts(row) {
  const real = element("bdi", withoutDirectionMarks(row.name), "real-name");
  return [real, element("span", pseudonym(row), "hidden-name")];
}

// Calls `action` each time the names are hidden or shown.
export function onNames(action) {
  changes.addEventListener("change", action);
}

function apply(choice) {
  root.dataset.names = choice;
  for (const button of document.querySelectorAll(".hide-names")) {
    button.setAttribute("aria-pressed", choice === "hidden");
  }
  changes.dispatchEvent(new Event("change"));
}

apply(stored(KEY) === "hidden" ? "hidden" : "shown");
for (const button of document.querySelectorAll(".hide-names")) {
  button.addEventListener("click", () => {
    const choice = namesAreHidden() ? "shown" : "hidden";
    store(KEY, choice);
    apply(choice);
  });
}
addEventListener("storage", ({ key, newValue }) => {
  if (key === KEY) apply(newValue === "hidden" ? "hidden" : "shown"); // another tab has changed it
});
