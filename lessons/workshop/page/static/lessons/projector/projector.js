// The projector mode for a class: large type, and only the diagram and the code. The key P and a button
// start it, Escape ends it, and this tab of the browser remembers it.

import { byId, loadCss } from "../common/dom.js";
import { storeForTab } from "../common/storage.js";
import { showStep } from "../workspace/steps.js";
import { showTab } from "../workspace/tabs.js";

const ZOOM = 1.6;

await loadCss("projector/projector.css");

const opener = byId("projector");

export function setProjector(isOn, diagram) {
  document.documentElement.classList.toggle("projector", isOn);
  opener.setAttribute("aria-pressed", isOn);
  diagram.zoomTo(isOn ? ZOOM : 1);
  storeForTab("projector", isOn ? "yes" : "");
  if (!isOn) return;
  showStep("wire");
  showTab("source");
}

addEventListener("keydown", (event) => {
  const isOn = document.documentElement.classList.contains("projector");
  if (event.key === "Escape" && isOn && !event.defaultPrevented) opener.click();
});
