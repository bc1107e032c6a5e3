// Stores a transcript: in this browser for a reload of the page, or in a file.

import { byId } from "../common/dom.js";
import { Transcript } from "../diagram/transcript.js";

const MAX_STORED = 2_000_000; // characters that sessionStorage has room for

const storageKey = () => `transcript ${location.pathname}`;

// Stores the transcript when the page's address names one of its events.
export function storeOnUnload(transcript) {
  addEventListener("pagehide", () => {
    const text = JSON.stringify(transcript);
    try {
      const isNamed = location.hash.startsWith("#event-");
      if (isNamed && text.length < MAX_STORED) sessionStorage.setItem(storageKey(), text);
      else sessionStorage.removeItem(storageKey());
    } catch {
      // The storage is full or forbidden. Then a reload begins with an empty transcript.
    }
  });
}

// The stored transcript, or null.
export function restore() {
  if (!location.hash.startsWith("#event-")) return null;
  try {
    return Transcript.from(JSON.parse(sessionStorage.getItem(storageKey())));
  } catch {
    return null;
  }
}

export function save(transcript, lesson) {
  if (!transcript.entries.length) return say("There is nothing to save yet.");
  const text = JSON.stringify({ lesson, ...transcript.toJSON() }, null, 1);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `${lesson}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
  return say("Saved.");
}

export async function load(input, transcript) {
  const [file] = input.files;
  if (!file) return;
  try {
    transcript.replaceWith(Transcript.from(JSON.parse(await file.text())));
    say(`This is ${file.name}.`);
  } catch {
    say(`${file.name} is not a saved transcript. The recording has not changed.`);
  }
  input.value = ""; // so that the same file can be chosen again
}

function say(text) {
  byId("file-status").textContent = text;
}
