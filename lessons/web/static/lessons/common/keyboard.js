// Single keys that lead about a page. Which leads where is said in the rows of the dialog that lists
// them: a link is followed, a button pressed, anything else gets the focus.

const OFF = "shortcuts-off"; // remembered by this browser; WCAG 2.1.4 asks for a way to be rid of them
const TYPING = "input, textarea, select, [contenteditable]";

const dialog = document.getElementById("keys");
const rows = [...dialog.querySelectorAll("[data-key]")];
const box = dialog.querySelector("input");

// The first of its selectors that the page shows, in the group of what has the focus if it is there:
// of several clients, the one at hand. Scripts make and hide some, so it is looked for each time.
function targetOf({ dataset }) {
  const group = document.activeElement?.closest("[role=group]");
  for (const selector of dataset.to.split(", ")) {
    const target = group?.querySelector(selector) ?? document.querySelector(selector);
    if (target === dialog || target?.checkVisibility()) return target;
  }
  return null;
}

function go(target) {
  if (target === dialog) return show();
  if (target.matches("a, button")) return target.click();
  if (!target.matches(`${TYPING}, [tabindex]`)) target.tabIndex = -1;
  target.focus();
  if (target.matches("input")) target.select();
}

function show() {
  for (const row of rows) row.hidden = !targetOf(row);
  dialog.showModal();
}

function pressed(event) {
  if (!box.checked || dialog.open || event.defaultPrevented || event.isComposing) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest?.(TYPING)) return;
  const target = rows.filter(({ dataset }) => dataset.key === event.key).map(targetOf)[0];
  if (!target) return;
  event.preventDefault();
  go(target);
}

box.checked = !recall();
box.addEventListener("change", () => remember(!box.checked));
document.getElementById("show-keys").addEventListener("click", show);
addEventListener("keydown", pressed);

// A browser may forbid a page to remember anything.
function recall() {
  try {
    return localStorage.getItem(OFF) === "yes";
  } catch {
    return false;
  }
}

function remember(off) {
  try {
    localStorage.setItem(OFF, off ? "yes" : "no");
  } catch {
    // It holds for this page, then.
  }
}

// Only what overflows needs to be reached by keyboard, and which that is depends on the window.
export function updateFocusableScroll() {
  for (const box of document.querySelectorAll("article .scroll, .exercise .scroll")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

updateFocusableScroll();
addEventListener("resize", updateFocusableScroll);
addEventListener("toggle", updateFocusableScroll, true); // a toggle does not bubble
