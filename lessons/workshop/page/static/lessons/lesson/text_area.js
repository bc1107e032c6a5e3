// A text in a plain text field, for a browser that could not load CodeMirror.

const INDENT = "    ";

export class TextArea {
  onChange = () => {};
  onSave = () => {};

  constructor(text, label) {
    this.element = document.createElement("div");
    this.field = this.element.appendChild(document.createElement("textarea"));
    Object.assign(this.field, { value: text, spellcheck: false, className: "text-area", rows: 24 });
    this.field.setAttribute("aria-label", label);
    this.note = this.element.appendChild(document.createElement("p"));
    this.note.className = "quiet";
    this.field.oninput = () => this.onChange();
    this.field.onkeydown = (event) => this.keyPressed(event);
  }

  get text() {
    return this.field.value;
  }

  keyPressed(event) {
    const isSave = event.key === "s" && (event.ctrlKey || event.metaKey);
    if (isSave) this.onSave();
    else if (event.key === "Escape") return void (this.leaves = true);
    else if (event.key !== "Tab" || event.shiftKey || this.leaves) return void (this.leaves = false);
    else this.insert(INDENT);
    event.preventDefault();
  }

  insert(text) {
    const { selectionStart, selectionEnd } = this.field;
    this.field.setRangeText(text, selectionStart, selectionEnd, "end");
    this.onChange();
  }

  replace(text) {
    this.field.value = text;
    this.onChange();
  }

  goTo(number) {
    const before = this.text.split("\n").slice(0, number - 1);
    const start = before.join("\n").length + (before.length ? 1 : 0);
    this.field.focus();
    this.field.setSelectionRange(start, start);
    this.field.scrollTop = (before.length - 5) * parseFloat(getComputedStyle(this.field).lineHeight);
  }

  markLine(number, title) {
    this.note.textContent = number ? `Line ${number}: ${title}` : "";
  }

  light() {} // a plain text field has no place for it
}
