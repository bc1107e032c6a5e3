// A transcript as a file: saved, and shown again.

import { requireJson } from "./json.js";
import { Transcript } from "./transcript.js";

const byId = (id) => document.getElementById(id);

export function wireFiles(transcript, lesson) {
  byId("save").onclick = () => {
    if (!transcript.entries.length) return say("There is nothing to save yet.");
    save(`${lesson}.json`, JSON.stringify({ lesson, ...transcript.toJSON() }, null, 1));
    return say("Saved.");
  };
  byId("load").onclick = () => byId("file").click();
  byId("file").onchange = async ({ target }) => {
    const [file] = target.files;
    if (file) await load(file, transcript);
    target.value = ""; // the same file may be chosen again
  };
}

function save(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function load(file, transcript) {
  try {
    transcript.become(read(await file.text()));
    say(`This is ${file.name}.`);
  } catch (error) {
    say(`${file.name}: ${error.message} What was recorded is as it was.`);
  }
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
