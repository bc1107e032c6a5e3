// The source of what is played. It highlights the handler that ran, and names its thread.

import { byId, element } from "../common/dom.js";
import { feedOf, fetchJson, playUrl } from "../common/server.js";

// The source of a target, for setSource(). Throws an Error with the server's reason.
export function fetchSource(panel, target) {
  return fetchJson(playUrl(panel.dataset.source, feedOf(panel), [["target", target]]));
}

export class SourceView {
  // The page comes with the source of the worked example.
  constructor(box, thread) {
    Object.assign(this, { box, thread });
    this.read();
  }

  // What it shows, in the form of setSource().
  get source() {
    const lines = this.lines.map((line) => {
      const { line: number, method } = line.dataset;
      return { number, method, html: line.innerHTML.replace(/\n$/, "") };
    });
    return { place: byId("source-title").textContent, lines };
  }

  // Shows another source: {place, lines: [{number, html, method}]}, whose HTML the server has written.
  setSource({ place, lines }) {
    byId("source-title").textContent = place;
    this.thread.textContent = "";
    this.highlighted = null;
    const made = lines.map(({ number, html, method }) => {
      const line = element("span", "", "line");
      Object.assign(line.dataset, { line: number, ...(method && { method }) });
      line.innerHTML = `${html}\n`;
      return line;
    });
    this.box.querySelector("code").replaceChildren(...made);
    this.read();
  }

  read() {
    this.lines = [...this.box.querySelectorAll("[data-line]")];
    for (const line of this.lines) line.dataset.method ??= line.parentElement.dataset.method ?? "";
    this.methods = new Set(this.lines.map((line) => line.dataset.method).filter(Boolean));
  }

  // Highlights the handler of this event only. If it has none, nothing is highlighted.
  show(event) {
    this.thread.textContent = "";
    for (const line of this.lines) line.classList.remove("highlighted");
    this.highlighted = null;
    this.highlight(event);
  }

  // False if no handler ran, or one that is not in this source: a task, an inherited handler.
  hasHandlerOf(event) {
    return this.methods.has(event?.handler);
  }

  highlight(event) {
    if (!this.hasHandlerOf(event)) return;
    const { handler, thread } = event;
    const lines = this.lines.filter((line) => line.dataset.method === handler);
    this.thread.textContent = thread;
    if (handler === this.highlighted) return; // reading positions would need a layout
    this.highlighted = handler;
    for (const line of this.lines) line.classList.toggle("highlighted", lines.includes(line));
    const { offsetTop } = lines[0];
    const height = lines.at(-1).offsetTop + lines.at(-1).offsetHeight - offsetTop;
    const { scrollTop, clientHeight } = this.box;
    if (offsetTop < scrollTop || offsetTop + height > scrollTop + clientHeight) {
      // Scrolls this box only: the page must not move under the reader.
      this.box.scrollTop = offsetTop - Math.max(0, (clientHeight - height) / 2);
    }
  }
}
