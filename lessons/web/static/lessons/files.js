// A transcript as a file: saved, and shown again.

import { requireJson } from "./json.js";
import { Transcript } from "./transcript.js";

const byId = (id) => document.getElementById(id);

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
    transcript.become(read(await file.text()));
    say(`This is ${file.name}.`);
  } catch (error) {
    say(`${file.name}: ${error.message} What was recorded is as it was.`);
  }
  input.value = ""; // the same file may be chosen again
}

function read(text) {
  requireJson(text);
  try {
    return Transcript.from(JSON.parse(text));
  } catch {
    throw new Error("This is JSON, but no transcript.");
  }
}

function say(text) {
  byId("file-said").textContent = text;
}
