// The worked consumer's source: lights up the lines of a handler that ran, and says in which thread.

export class Source {
  constructor(box, thread) {
    this.box = box;
    this.thread = thread;
    this.lines = [...box.querySelectorAll("[data-line]")];
    for (const line of this.lines) line.dataset.method = line.parentElement.dataset.method ?? "";
    this.methods = new Set(this.lines.map((line) => line.dataset.method).filter(Boolean));
  }

  // The handler of this event; none where it had none.
  show(event) {
    this.thread.textContent = "";
    for (const line of this.lines) line.classList.remove("lit");
    this.lit = null;
    this.light(event);
  }

  // Not where none was at work, or one of another class: a task, an inherited handler.
  hasHandlerOf(event) {
    return this.methods.has(event?.handler);
  }

  light(event) {
    if (!this.hasHandlerOf(event)) return;
    const { handler, thread } = event;
    const lit = this.lines.filter((line) => line.dataset.method === handler);
    this.thread.textContent = thread;
    if (handler === this.lit) return; // where it stands is a question that costs a layout
    this.lit = handler;
    for (const line of this.lines) line.classList.toggle("lit", lit.includes(line));
    const { offsetTop } = lit[0];
    const height = lit.at(-1).offsetTop + lit.at(-1).offsetHeight - offsetTop;
    const { scrollTop, clientHeight } = this.box;
    if (offsetTop < scrollTop || offsetTop + height > scrollTop + clientHeight) {
      // The box alone: the page under a reader's eyes stays where it is.
      this.box.scrollTop = offsetTop - Math.max(0, (clientHeight - height) / 2);
    }
  }
}
