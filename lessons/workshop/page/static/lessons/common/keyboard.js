// Keyboard access on every page: the menu, the single-key shortcuts, and focusable scroll areas.

import { byId } from "./dom.js";
import { store, stored } from "./storage.js";

const STORAGE_KEY = "shortcuts-off"; // WCAG 2.1.4 requires that the user can switch shortcuts off
const TYPING = "input, textarea, select, [contenteditable]";

const menu = byId("menu");
const checkbox = byId("use-keys");

// An element with `data-key` is followed, pressed or focused by that key. Those in the part of the page
// that has the focus come first, then visible ones, then those of the menu.
function targetOf(key) {
  const group = document.activeElement?.closest("[role=group]");
  const all = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter((one) => !one.disabled);
  return all.find((one) => group?.contains(one)) ?? all.find((one) => one.checkVisibility()) ?? all.find((one) => menu.contains(one));
}

function go(target) {
  if (target.matches("a, button")) return target.click();
  target.focus();
  if (target.matches("input")) target.select();
}

addEventListener("keydown", (event) => {
  if (!checkbox.checked || document.querySelector("dialog[open]") || event.defaultPrevented || event.isComposing) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.composedPath()[0].closest?.(TYPING)) return; // inside a shadow root too
  const target = targetOf(event.key);
  if (!target) return;
  event.preventDefault();
  go(target);
});

checkbox.checked = stored(STORAGE_KEY) !== "yes";
checkbox.onchange = () => store(STORAGE_KEY, checkbox.checked ? "no" : "yes");
byId("show-menu").onclick = () => menu.showModal();
menu.addEventListener("click", ({ target }) => target === menu && menu.close()); // beside the menu

// Makes exactly those areas focusable that overflow. Which ones do depends on the window's size.
function updateFocusableScroll() {
  for (const box of document.querySelectorAll("article .scroll")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

updateFocusableScroll();
addEventListener("resize", updateFocusableScroll);
