// What the editor uses of CodeMirror 6. codemirror.js is made from this file, in an empty folder:
//
//   npm install esbuild@0.28.2 @codemirror/state@6.7.6 @codemirror/view@6.43.15 \
//     @codemirror/commands@6.11.1 @codemirror/language@6.13.1 @codemirror/lang-python@6.2.1
//   npx esbuild codemirror.entry.js --bundle --format=esm --minify --outfile=codemirror.js
//
// Then add the comment with version and licence at the top of codemirror.js again.

export { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
export { pythonLanguage } from "@codemirror/lang-python";
export { codeFolding, foldEffect, HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
export { EditorState, StateEffect, StateField } from "@codemirror/state";
export { Decoration, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
export { tags } from "@lezer/highlight";
