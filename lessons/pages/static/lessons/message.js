// Draws an ASGI message. All of it came off the wire, so it becomes text nodes and nothing else.

import { textOf } from "./bytes.js";

const CALLS = new Set(["send", "group_send", "group_add", "group_discard"]); // of the layer
const LATIN = new Set(["query_string", "headers", "raw_path"]);
const LONG = 160;
const LONG_SQL = 60; // names of columns, mostly

export function drawMessage(cell, { type, ...rest }) {
  cell.append(element("b", type ?? "(no type)"));
  if (type === "query") return append(cell, rest.sql, null, LONG_SQL);
  if (type === "raised") return append(cell, rest.error);
  if (type === "scope") {
    const query = rest.query_string ? `?${shown("query_string", rest.query_string)}` : "";
    return append(cell, rest.path + query, rest);
  }
  if (CALLS.has(type) && (rest.group ?? rest.channel) !== undefined) return drawCall(cell, rest);
  return append(cell, wordsOf(rest), rest);
}

// In the words in which it arrives: the message at its receiver, a channel in its group.
function drawCall(cell, { group, channel, message }) {
  const { type, ...rest } = message ?? {};
  const what = message ? `${type ?? "(no type)"}  ${wordsOf(rest)}` : channel;
  append(cell, `"${group ?? channel}": ${what}`.trimEnd(), message ?? null);
}

function wordsOf(message) {
  return Object.entries(message)
    .map(([key, value]) => `${key}: ${shown(key, value)}`)
    .join("  ");
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

function shown(key, value) {
  if (isBytes(value)) {
    if (LATIN.has(key)) return textOf(value.bytes);
    const pairs = value.bytes.match(/../g) ?? [];
    return `${pairs.join(" ") || "none"} (${pairs.length} bytes)`;
  }
  if (value === null) return "None"; // they are Python's messages
  return JSON.stringify(value) ?? String(value);
}

function latin(value) {
  return isBytes(value) ? textOf(value.bytes) : JSON.stringify(value);
}

function isBytes(value) {
  return typeof value?.bytes === "string" && Object.keys(value).length === 1;
}

export function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}
