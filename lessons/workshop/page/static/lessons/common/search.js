// Looks a pasted traceback up at once, with its line ends: the last line says what happened, and the
// server finds it by them.

import { byId } from "./dom.js";

const MAX_SENT = 4000; // characters; a longer URL does not fit into Daphne's limit
const LINE_END = "↵"; // the server reads it as a line end, which a text field cannot contain

const form = byId("search");
const { q: input } = form.elements;

input.addEventListener("paste", (event) => {
  const text = event.clipboardData.getData("text/plain").trim();
  if (!/[\r\n]/.test(text)) return;
  event.preventDefault();
  const line = text.slice(-MAX_SENT).replace(/\s*[\r\n]+\s*/g, ` ${LINE_END} `);
  input.setRangeText(line, input.selectionStart, input.selectionEnd, "end");
  form.requestSubmit();
});
