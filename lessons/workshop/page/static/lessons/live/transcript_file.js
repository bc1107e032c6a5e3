// Saves a transcript in a file, and loads it again.

import { byId } from "../common/dom.js";
import { Transcript } from "../diagram/transcript.js";

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
