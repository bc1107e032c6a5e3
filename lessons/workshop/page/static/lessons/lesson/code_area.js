// A text in CodeMirror, in a shadow root: there its styles need no exception in the page's policy.

import {
  Decoration,
  defaultKeymap,
  EditorState,
  EditorView,
  gutter,
  GutterMarker,
  highlightActiveLine,
  HighlightStyle,
  history,
  historyKeymap,
  indentUnit,
  indentWithTab,
  keymap,
  lineNumbers,
  pythonLanguage,
  RangeSet,
  StateEffect,
  StateField,
  syntaxHighlighting,
  tags,
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
  ".cm-finding": { backgroundColor: "var(--different)" },
  ".cm-finding-gutter": { width: "1.1em", color: "var(--red)", textAlign: "center" },
});

class FindingMarker extends GutterMarker {
  constructor(title) {
    super();
    this.title = title;
  }

  toDOM() {
    const sign = document.createElement("span");
    sign.textContent = "●";
    sign.title = this.title;
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", this.title);
    return sign;
  }
}

const setFinding = StateEffect.define(); // {from, title}, or null for none
const NO_FINDING = { lines: Decoration.none, markers: RangeSet.empty };

const finding = StateField.define({
  create: () => NO_FINDING,
  update(value, transaction) {
    let { lines, markers } = value;
    if (transaction.docChanged) {
      lines = lines.map(transaction.changes);
      markers = markers.map(transaction.changes);
    }
    for (const effect of transaction.effects) {
      if (!effect.is(setFinding)) continue;
      if (!effect.value) return NO_FINDING;
      const { from, title } = effect.value;
      lines = Decoration.set([Decoration.line({ class: "cm-finding" }).range(from)]);
      markers = RangeSet.of([new FindingMarker(title).range(from)]);
    }
    return { lines, markers };
  },
  provide: (field) => EditorView.decorations.from(field, ({ lines }) => lines),
});

// The lines that sent what the picture points at.
const setLit = StateEffect.define(); // [position of a line's start]
const lit = StateField.define({
  create: () => Decoration.none,
  update(value, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setLit)) return Decoration.set(effect.value.map((from) => Decoration.line({ class: "cm-lit" }).range(from)));
    }
    return transaction.docChanged ? Decoration.none : value;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const levels = StateField.define({
  create: ({ doc }) => levelsOf(doc),
  update: (value, { docChanged, state }) => (docChanged ? levelsOf(state.doc) : value),
  provide: (field) => EditorView.decorations.from(field),
});

function levelsOf(doc) {
  return Decoration.set(Array.from({ length: doc.lines }, (_, index) => {
    const { from, text } = doc.line(index + 1);
    return Decoration.line({ class: `cm-level-${levelOf(text)}` }).range(from);
  }));
}

// The task stands above the editor, so the docstring is folded to its first line, and again when the file
// has another text. A click, the cursor or a change in it unfolds it.
const fold = StateEffect.define();
const folded = StateField.define({
  create: ({ doc }) => foldOf(doc),
  update(value, transaction) {
    const isAsked = transaction.effects.some((effect) => effect.is(fold));
    const now = isAsked ? foldOf(transaction.newDoc) : value.map(transaction.changes);
    const { from, to } = transaction.state.selection.main;
    let isTouched = false;
    if (transaction.selection || transaction.docChanged) now.between(from, to, () => void (isTouched = true));
    return isTouched ? Decoration.none : now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function foldOf(doc) {
  const text = doc.toString();
  const first = doc.line(1);
  const end = text.indexOf('"""', 3);
  if (!text.startsWith('"""') || end <= first.to) return Decoration.none;
  return Decoration.set([Decoration.replace({}).range(first.to, end)]);
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
      gutter({ class: "cm-finding-gutter", markers: (view) => view.state.field(finding).markers }),
      lineNumbers(),
      history(),
      finding,
      lit,
      levels,
      folded,
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
    this.view.dispatch({ changes: { from, to: old.length - after, insert: text.slice(from, text.length - after) }, effects: fold.of(null) });
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
    const isThere = number && number <= doc.lines;
    this.view.dispatch({ effects: setFinding.of(isThere ? { from: doc.line(number).from, title } : null) });
  }

  // Lights these lines; an empty list lights none. `isSought`: the first of them comes into sight.
  light(numbers, isSought) {
    const { doc } = this.view.state;
    const starts = numbers.filter((number) => number <= doc.lines).map((number) => doc.line(number).from);
    const scroll = isSought && starts.length ? [EditorView.scrollIntoView(starts[0], { y: "center" })] : [];
    this.view.dispatch({ effects: [setLit.of(starts), ...scroll] });
  }
}
