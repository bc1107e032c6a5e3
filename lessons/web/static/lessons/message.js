// Draws an ASGI message. All of it came off the wire, so it becomes text nodes and nothing else.

import { isBytes, textOf } from "./bytes.js";
import { isCall, shown, typeOf, wordsOf } from "./words.js";

const LONG = 160;
const LONG_SQL = 60; // names of columns, mostly

export function drawMessage(cell, message) {
  const { type, ...rest } = message;
  cell.append(element("b", typeOf(message)));
  if (type === "query") return append(cell, wordsOf(message), null, LONG_SQL);
  if (type === "raised") return append(cell, wordsOf(message));
  if (isCall(message)) return append(cell, wordsOf(message), rest.message ?? null);
  return append(cell, wordsOf(message), rest);
}

// On one line where it fits; the whole of it can be unfolded where it does not.
function append(cell, line, whole = null, most = LONG) {
  if (line.length <= most && !whole?.headers) {
    cell.append(" ", element("span", line));
    return;
  }
  const details = document.createElement("details");
  details.append(element("summary", line.length <= most ? line : `${line.slice(0, most)}…`));
  details.append(element("pre", whole ? pretty(whole) : line));
  cell.append(" ", details);
}

function pretty(message) {
  const lines = Object.entries(message).flatMap(([key, value]) =>
    key === "headers" && Array.isArray(value)
      ? value.map((pair) => `${latin(pair?.[0])}: ${latin(pair?.[1])}`)
      : [`${key}: ${shown(key, value)}`],
  );
  return lines.join("\n");
}

function latin(value) {
  return isBytes(value) ? textOf(value.bytes) : JSON.stringify(value);
}

export function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

// The parts of a text, with what stands between backticks as code.
export function coded(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", part) : part));
}
