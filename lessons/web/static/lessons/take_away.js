// What was played, as a test: asked of the server, shown in a dialog, copied or downloaded.

import { style } from "./style.js";

await style("./taken.css");

const byId = (id) => document.getElementById(id);

export function show(played, feed) {
  return new TakeAway(played, feed).show();
}

class TakeAway {
  constructor(played, feed) {
    Object.assign(this, { played, feed, dialog: byId("taken"), source: byId("taken-source") });
    byId("taken-copy").onclick = () => this.copy();
  }

  async show() {
    this.dialog.showModal();
    this.become("Playing…");
    try {
      const { name, source } = await this.ask();
      this.become(name, source);
      const file = byId("taken-file");
      URL.revokeObjectURL(file.href);
      file.href = URL.createObjectURL(new Blob([source], { type: "text/x-python" }));
      file.download = name;
    } catch (error) {
      this.become(error.message);
    }
  }

  async ask() {
    const { action } = byId("taken-form");
    const body = new FormData(byId("taken-form"));
    body.append("feed", this.feed);
    for (const step of this.played.steps()) body.append("step", step);
    const response = await fetch(action, { method: "POST", body });
    if (response.headers.get("content-type") !== "application/json") {
      throw new Error(`The server answers ${response.status}. Reload the page.`);
    }
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    return answer;
  }

  become(said, source = "") {
    byId("taken-said").textContent = said;
    this.source.textContent = source;
    this.source.hidden = byId("taken-file").hidden = byId("taken-copy").disabled = !source;
  }

  // Where a page may not write to the clipboard, what it would write is marked.
  async copy() {
    try {
      await navigator.clipboard.writeText(this.source.textContent);
      byId("taken-said").textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(this.source);
      byId("taken-said").textContent = "Marked: this browser does not let a page copy.";
    }
  }
}
