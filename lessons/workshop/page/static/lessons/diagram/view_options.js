// How the diagram shows its rows: which events, to scale, and which time stands beside them.

import { loadCss } from "../common/dom.js";
import { parseFilter } from "./event_filter.js";

await loadCss("diagram/view_options.css");

// Connects the controls in `box` with the diagram. `onChange(isActive)` hears whether they change what
// it shows.
export function connectViewOptions(box, diagram, onChange) {
  const [filter, scale, delta] = ["filter", "scale", "delta"].map((name) => box.querySelector(`[name=${name}]`));
  box.oninput = () => {
    const matches = parseFilter(filter.value);
    diagram.setOptions({ matches, isToScale: scale.checked, isDelta: delta.checked });
    onChange(Boolean(matches || scale.checked || delta.checked));
  };
  const count = box.querySelector(".filtered");
  diagram.box.addEventListener("drawn", () => {
    const { layout: { rows }, options: { matches }, transcript: { entries } } = diagram;
    count.textContent = matches ? `${rows.length} of ${entries.length}` : "";
  });
}
