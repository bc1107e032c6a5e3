// The tabs below the diagram: source, state, browser, verdict. The user can collapse them.

import { byId } from "../common/dom.js";
import { stored, store } from "../common/storage.js";

const STORAGE_KEY = "tabs-collapsed";
const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

const section = byId("details-tabs");
const collapse = byId("collapse-tabs");
const tabs = () => [...section.querySelectorAll("[role=tab]")].filter((tab) => tab.checkVisibility());
const panelOf = (tab) => byId(tab.getAttribute("aria-controls"));

// Shows a tab by its name, such as "verdict", and sends `shown` to its panel. Unfolds the tabs.
export function showTab(name) {
  select(byId(`show-${name}`));
  setCollapsed(false);
}

function select(chosen) {
  section.dataset.tab = chosen.id.slice("show-".length);
  for (const tab of section.querySelectorAll("[role=tab]")) {
    tab.setAttribute("aria-selected", tab === chosen);
    tab.tabIndex = tab === chosen ? 0 : -1;
    panelOf(tab).hidden = tab !== chosen;
  }
  panelOf(chosen).dispatchEvent(new CustomEvent("shown"));
}

function setCollapsed(isCollapsed) {
  section.toggleAttribute("data-collapsed", isCollapsed);
  collapse.setAttribute("aria-expanded", !isCollapsed);
  collapse.textContent = isCollapsed ? "Expand" : "Collapse";
  store(STORAGE_KEY, isCollapsed ? "yes" : "");
}

section.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
  if (!(event.key in STEPS)) return;
  event.preventDefault();
  const all = tabs();
  const index = all.indexOf(document.activeElement) + STEPS[event.key];
  const tab = all[Math.min(Math.max(index, 0), all.length - 1)];
  tab.focus();
  tab.click();
});
for (const tab of section.querySelectorAll("[role=tab]")) {
  tab.onclick = () => showTab(tab.id.slice("show-".length));
}
collapse.onclick = () => setCollapsed(!section.hasAttribute("data-collapsed"));
document.addEventListener("reveal", ({ target }) => {
  const panel = target.closest("[role=tabpanel]");
  if (panel) showTab(panel.id.slice("tab-".length));
});
setCollapsed(stored(STORAGE_KEY) === "yes");
