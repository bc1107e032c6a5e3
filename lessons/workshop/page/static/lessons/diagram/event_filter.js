// Which events a diagram shows, as the user writes it.

import { labelOf } from "./event_text.js";

// `send close -layer`: the events that have one of the words and none with a minus in front. A word
// stands in the type, the lane, the client, the handler or the payload. Null if nothing is filtered.
export function parseFilter(text) {
  const words = text.toLowerCase().split(/[\s,]+/).filter((word) => word && word !== "-");
  const isExcluded = (word) => word.startsWith("-");
  const excluded = words.filter(isExcluded).map((word) => word.slice(1));
  const wanted = words.filter((word) => !isExcluded(word));
  if (!words.length) return null;
  return (entry) => {
    if (!entry.event) return false;
    const found = wordsOf(entry);
    return !excluded.some((word) => found.includes(word))
      && (!wanted.length || wanted.some((word) => found.includes(word)));
  };
}

function wordsOf({ of, event }) {
  const { lane, handler, message: { type } } = event;
  const client = of.client && `client ${of.client}`;
  return [type, ...labelOf(event), lane, handler, client].filter(Boolean).join(" ").toLowerCase();
}
