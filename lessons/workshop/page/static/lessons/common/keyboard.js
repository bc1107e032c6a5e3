// Keyboard access on every page: the single-key shortcuts, and focusable scroll areas.

import { byId } from "./dom.js";
import { store, stored } from "./storage.js";

const STORAGE_KEY = "shortcuts-off"; // WCAG 2.1.4 requires that the user can switch shortcuts off
const TYPING = "input, textarea, select, [contenteditable]";
const HIDDEN = ".step, #wire:not([data-view=text] *)"; // these show themselves at the event `reveal`

// The dialog lists the shortcuts. Its rows say where each key leads: a link is followed, a button
// pressed, and every other element gets the focus.
const dialog = byId("keys");
const rows = [...dialog.querySelectorAll("[data-key]")];
const checkbox = dialog.querySelector("input");

// The first target of a row that is visible, or that a hidden step or tab contains. Targets in the
// client that has the focus come first. Scripts make and hide targets, so each key press searches.
function targetOf({ dataset }) {
  const group = document.activeElement?.closest("[role=group]");
  for (const selector of dataset.to.split(", ")) {
    const target = group?.querySelector(selector) ?? document.querySelector(selector);
    if (target === dialog || target?.checkVisibility() || target?.closest(HIDDEN)) return target;
  }
  return null;
}

function go(target) {
  if (target === dialog) return show();
  target.dispatchEvent(new CustomEvent("reveal", { bubbles: true }));
  if (target.matches("a, button")) return target.click();
  if (!target.matches(`${TYPING}, [tabindex]`)) target.tabIndex = -1;
  target.focus();
  if (target.matches("input")) target.select();
}

function show() {
  for (const row of rows) row.hidden = !targetOf(row);
  dialog.showModal();
}

function keyPressed(event) {
  if (!checkbox.checked || dialog.open || event.defaultPrevented || event.isComposing) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.composedPath()[0].closest?.(TYPING)) return; // inside a shadow root too
  const target = rows.filter(({ dataset }) => dataset.key === event.key).map(targetOf)[0];
  if (!target) return;
  event.preventDefault();
  go(target);
}

checkbox.checked = stored(STORAGE_KEY) !== "yes";
checkbox.onchange = () => store(STORAGE_KEY, checkbox.checked ? "no" : "yes");
byId("show-keys").addEventListener("click", show);
addEventListener("keydown", keyPressed);

// Makes exactly those areas focusable that overflow. Which ones do depends on the window's size.
export function updateFocusableScroll() {
  for (const box of document.querySelectorAll("article .scroll, .predict .scroll, .exercise .scroll, #finding .scroll")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

updateFocusableScroll();
addEventListener("resize", updateFocusableScroll);
for (const name of ["toggle", "shown"]) addEventListener(name, updateFocusableScroll, true); // neither bubbles
