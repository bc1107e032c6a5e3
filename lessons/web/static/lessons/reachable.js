// Only what overflows needs to be reached by keyboard, and which that is depends on the window.

export function reachable() {
  for (const box of document.querySelectorAll("article .scroll, .exercise .scroll")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

reachable();
addEventListener("resize", reachable);
addEventListener("toggle", reachable, true); // a toggle does not bubble
