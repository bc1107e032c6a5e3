// The dialog with the played steps as a pytest module, which the user can copy or download.

import { byId, loadCss } from "../common/dom.js";
import { fetchJson } from "../common/server.js";

await loadCss("live/pytest_export.css");

const source = byId("export-source");

// Opens the dialog. `steps` are JSON texts, `feed` is the id of the page's feed.
export async function showExport(steps, feed) {
  byId("export-copy").onclick = copy;
  byId("export-dialog").showModal();
  show("Playing…");
  try {
    const test = await fetchTest(steps, feed);
    show(test.name, test.source);
    const link = byId("export-download");
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob([test.source], { type: "text/x-python" }));
    link.download = test.name;
  } catch (error) {
    show(error.message);
  }
}

function fetchTest(steps, feed) {
  const form = byId("export-form");
  const body = new FormData(form);
  body.append("feed", feed);
  for (const step of steps) body.append("step", step);
  return fetchJson(form.action, { method: "POST", body });
}

function show(status, text = "") {
  byId("export-status").textContent = status;
  source.textContent = text;
  source.hidden = byId("export-download").hidden = byId("export-copy").disabled = !text;
}

// If the browser forbids the page to write to the clipboard, the text is selected instead.
async function copy() {
  try {
    await navigator.clipboard.writeText(source.textContent);
    byId("export-status").textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(source);
    byId("export-status").textContent = "This browser does not let a page copy. The text is selected.";
  }
}
