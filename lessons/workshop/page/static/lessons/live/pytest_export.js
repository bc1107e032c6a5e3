// The dialog with the played steps as a pytest module, which the user can copy or download.

import { byId, copyText, loadCss } from "../common/dom.js";
import { fetchJson } from "../common/server.js";
import { lastConnection } from "./played_steps.js";

const MAX_STEPS = 40; // of a test, as play_views.py allows them

await loadCss("live/pytest_export.css");

const source = byId("export-source");

// Opens the dialog. `steps` are JSON texts, `feed` is the id of the page's feed. `target` is what the
// page plays: "exercise", "solution" or "mistake:NAME"; without it, the worked example.
export async function showExport(steps, feed, target = chosenTarget()) {
  byId("export-copy").onclick = copy;
  byId("export-dialog").showModal();
  show("Playing…");
  try {
    const [chosen, note] = withinLimit(steps);
    const test = await fetchTest(chosen, feed, target);
    show(note, test);
    const link = byId("export-download");
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob([test.source], { type: "text/x-python" }));
    link.download = test.name;
  } catch (error) {
    show(error.message);
  }
}

// The target that the page's switch shows, if the page has one.
function chosenTarget() {
  return byId("target")?.value ?? "";
}

// The steps for the test, and a note if they are not all steps.
function withinLimit(steps) {
  if (steps.length <= MAX_STEPS) return [steps, ""];
  const last = lastConnection(steps);
  const played = `You played ${steps.length} steps. A test has at most ${MAX_STEPS}.`;
  if (last.length > MAX_STEPS) throw new Error(`${played} Press Clear, then play a shorter conversation.`);
  return [last, `${played} So this test has the last connection only.`];
}

function fetchTest(steps, feed, target) {
  const form = byId("export-form");
  const body = new FormData(form);
  body.append("feed", feed);
  body.append("target", target);
  for (const step of steps) body.append("step", step);
  return fetchJson(form.action, { method: "POST", body });
}

function show(status, test = null) {
  byId("export-status").textContent = status;
  byId("export-command").textContent = `python3 manage.py test tests/${test?.name}`;
  source.textContent = test?.source ?? "";
  const isEmpty = test === null;
  source.hidden = byId("export-needs").hidden = byId("export-download").hidden = isEmpty;
  byId("export-copy").disabled = isEmpty;
}

async function copy() {
  const failed = "This browser does not let a page copy. The text is selected.";
  byId("export-status").textContent = (await copyText(source)) ? "Copied." : failed;
}
