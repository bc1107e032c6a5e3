// A text in CodeMirror, in a shadow root: there its styles need no exception in the page's policy.

import {
  codeFolding, Decoration, defaultKeymap, EditorState, EditorView, foldEffect, highlightActiveLine,
  HighlightStyle, history, historyKeymap, indentUnit, indentWithTab, keymap, lineNumbers, pythonLanguage,
  StateEffect, StateField, syntaxHighlighting, tags,
} from "../vendor/codemirror.js";
import { levelOf, MAX_LEVEL } from "../common/dom.js";

const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.definitionKeyword, tags.moduleKeyword], color: "var(--keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--string)" },
  { tag: tags.comment, color: "var(--comment)", fontStyle: "italic" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--number)" },
  { tag: [tags.definition(tags.variableName), tags.definition(tags.className), tags.className], color: "var(--name)" },
]);

// A line that wraps goes on below its own code, four columns further in. Lines deeper than the last
// level wrap there. These are classes, because the page's policy forbids styles in elements.
const WRAPPED = Array.from({ length: MAX_LEVEL + 1 }, (_, level) => [`.cm-level-${level}`, { paddingLeft: `calc(6px + ${4 * level + 4}ch)`, textIndent: `-${4 * level + 4}ch` }]);

const THEME = EditorView.theme({
  ...Object.fromEntries(WRAPPED),
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--raised)", fontSize: "0.8125rem" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-gutters": { color: "var(--quiet)", backgroundColor: "var(--raised)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine": { backgroundColor: "transparent", boxShadow: "inset 2px 0 var(--accent)" },
  ".cm-lit": { backgroundColor: "var(--highlight)" },
  ".cm-finding": { backgroundColor: "var(--different)", boxShadow: "inset 3px 0 var(--red)" },
  ".cm-foldPlaceholder": { color: "var(--quiet)", backgroundColor: "var(--sunk)", borderColor: "var(--line)" },
});

// Lines with a class, which an effect marks. They move with the text.
function markedLines(className) {
  const mark = StateEffect.define();
  const field = StateField.define({
    create: () => Decoration.none,
    update: (lines, { changes, effects }) => effects.find((one) => one.is(mark))?.value ?? lines.map(changes),
    provide: (own) => EditorView.decorations.from(own),
  });
  const show = (doc, numbers, attributes = {}) => {
    const line = Decoration.line({ class: className, attributes });
    return mark.of(Decoration.set(numbers.filter((one) => one <= doc.lines).map((one) => line.range(doc.line(one).from))));
  };
  return { field, show };
}

const finding = markedLines("cm-finding");
const lit = markedLines("cm-lit"); // what sent the event that the picture points at

const levels = EditorView.decorations.compute(["doc"], ({ doc }) => Decoration.set(Array.from({ length: doc.lines }, (_, index) => {
  const { from, text } = doc.line(index + 1);
  return Decoration.line({ class: `cm-level-${levelOf(text)}` }).range(from);
})));

// The task stands above the editor, so the docstring is folded to its first line, and again when the file
// has another text.
function foldOf(text) {
  const from = text.indexOf("\n");
  const to = text.indexOf('"""', 3);
  return text.startsWith('"""') && from < to ? [foldEffect.of({ from, to })] : [];
}

export class CodeArea {
  onChange = () => {};
  onSave = () => {};

  constructor(text, label) {
    this.element = document.createElement("div");
    this.element.className = "code-area";
    const root = this.element.attachShadow({ mode: "open" });
    const save = { key: "Mod-s", preventDefault: true, run: () => (this.onSave(), true) };
    const extensions = [
      lineNumbers(),
      history(),
      finding.field,
      lit.field,
      levels,
      codeFolding(),
      highlightActiveLine(),
      indentUnit.of("    "),
      EditorState.tabSize.of(4),
      pythonLanguage,
      syntaxHighlighting(COLOURS),
      THEME,
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
      keymap.of([save, indentWithTab, ...historyKeymap, ...defaultKeymap]),
      EditorView.updateListener.of(({ docChanged }) => docChanged && this.onChange()),
    ];
    this.view = new EditorView({ doc: text, extensions, root, parent: root });
    this.view.dispatch({ effects: foldOf(text) });
    this.view.scrollDOM.tabIndex = 0; // the keyboard scrolls it too
  }

  get text() {
    return this.view.state.doc.toString();
  }

  // Replaces what differs, and can be undone. The cursor and the fold stay where the text is equal.
  replace(text) {
    const old = this.text;
    const most = Math.min(old.length, text.length);
    let from = 0;
    while (from < most && old[from] === text[from]) from += 1;
    let after = 0;
    while (after < most - from && old.at(-1 - after) === text.at(-1 - after)) after += 1;
    this.view.dispatch({ changes: { from, to: old.length - after, insert: text.slice(from, text.length - after) }, effects: foldOf(text) });
  }

  goTo(number) {
    const { doc } = this.view.state;
    const { from, text } = doc.line(Math.min(Math.max(number, 1), doc.lines));
    const anchor = from + text.search(/\S|$/);
    this.view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
    this.view.focus();
  }

  // Marks a line with a finding; null marks none.
  markLine(number, title) {
    const { doc } = this.view.state;
    this.view.dispatch({ effects: finding.show(doc, number ? [number] : [], { title }) });
  }

  // Lights these lines; an empty list lights none. `isSought`: the first of them comes into sight.
  light(numbers, isSought) {
    const { doc } = this.view.state;
    const isThere = isSought && numbers[0] <= doc.lines;
    const scroll = isThere ? [EditorView.scrollIntoView(doc.line(numbers[0]).from, { y: "center" })] : [];
    this.view.dispatch({ effects: [lit.show(doc, numbers), ...scroll] });
  }
}
