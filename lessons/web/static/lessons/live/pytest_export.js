// What was played, as a test: asked of the server, shown in a dialog, copied or downloaded.

import { byId, loadCss } from "../common/dom.js";
import { fetchJson } from "../common/server.js";

await loadCss("live/pytest_export.css");

export function show(played, feed) {
  return new ExportDialog(played, feed).show();
}

class ExportDialog {
  constructor(played, feed) {
    Object.assign(this, { played, feed, dialog: byId("export-dialog"), source: byId("export-source") });
    byId("export-copy").onclick = () => this.copy();
  }

  async show() {
    this.dialog.showModal();
    this.become("Playing…");
    try {
      const { name, source } = await this.fetchTest();
      this.become(name, source);
      const file = byId("export-download");
      URL.revokeObjectURL(file.href);
      file.href = URL.createObjectURL(new Blob([source], { type: "text/x-python" }));
      file.download = name;
    } catch (error) {
      this.become(error.message);
    }
  }

  async fetchTest() {
    const { action } = byId("export-form");
    const body = new FormData(byId("export-form"));
    body.append("feed", this.feed);
    for (const step of this.played.steps()) body.append("step", step);
    return fetchJson(action, { method: "POST", body });
  }

  become(said, source = "") {
    byId("export-status").textContent = said;
    this.source.textContent = source;
    this.source.hidden = byId("export-download").hidden = byId("export-copy").disabled = !source;
  }

  // Where a page may not write to the clipboard, what it would write is marked.
  async copy() {
    try {
      await navigator.clipboard.writeText(this.source.textContent);
      byId("export-status").textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(this.source);
      byId("export-status").textContent = "Marked: this browser does not let a page copy.";
    }
  }
}
