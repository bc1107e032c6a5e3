// What was recorded outlives a reload of the page, for an address that names one of its events.

import { Transcript } from "./transcript.js";

const MOST = 2_000_000; // characters that a browser's store is asked to hold

const key = () => `transcript ${location.pathname}`;

export function keep(transcript) {
  addEventListener("pagehide", () => {
    const text = JSON.stringify(transcript);
    try {
      if (location.hash.startsWith("#event-") && text.length < MOST) sessionStorage.setItem(key(), text);
      else sessionStorage.removeItem(key());
    } catch {
      // The store is full or forbidden; then a reload begins anew.
    }
  });
}

export function kept() {
  if (!location.hash.startsWith("#event-")) return null;
  try {
    return Transcript.from(JSON.parse(sessionStorage.getItem(key())));
  } catch {
    return null;
  }
}
