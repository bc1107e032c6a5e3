// Stores a transcript in this browser, for a reload of the page.

import { storedForTab, storeForTab } from "../common/storage.js";
import { Transcript } from "../diagram/transcript.js";

const MAX_STORED = 2_000_000; // characters that sessionStorage has room for

const storageKey = () => `transcript ${location.pathname}`;

// Stores the transcript when the page's address names one of its events.
export function storeOnUnload(transcript) {
  addEventListener("pagehide", () => {
    const text = JSON.stringify(transcript);
    const isNamed = location.hash.startsWith("#event-");
    storeForTab(storageKey(), isNamed && text.length < MAX_STORED ? text : "");
  });
}

// The stored transcript, or null.
export function restore() {
  if (!location.hash.startsWith("#event-")) return null;
  try {
    return Transcript.from(JSON.parse(storedForTab(storageKey())));
  } catch {
    return null;
  }
}
