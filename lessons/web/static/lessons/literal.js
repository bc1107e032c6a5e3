// A recorded message as Python writes it: what the consumer was given, or gave.

import { isBytes, textOf } from "./bytes.js";

const WIDE = 56; // characters of a line

// On one line where it fits, else an item a line.
export function literal(value, indent = "") {
  if (isBytes(value)) return bytesLiteral(value.bytes);
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return textLiteral(value);
  if (typeof value !== "object") return String(value);
  const deeper = `${indent}    `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const items = Array.isArray(value)
    ? value.map((item) => literal(item, deeper))
    : Object.entries(value).map(([key, item]) => `${textLiteral(key)}: ${literal(item, deeper)}`);
  const line = `${open}${items.join(", ")}${close}`;
  if (line.length + indent.length <= WIDE && !line.includes("\n")) return line;
  return `${open}\n${items.map((item) => `${deeper}${item},\n`).join("")}${indent}${close}`;
}

// JSON's escapes are Python's too. In single quotes where that spares some: a text of JSON.
function textLiteral(text) {
  const quoted = JSON.stringify(text);
  if (!text.includes('"') || text.includes("'")) return quoted;
  return `'${quoted.slice(1, -1).replace(/\\(["\\])/g, (both, one) => (one === '"' ? one : both))}'`;
}

export function bytesLiteral(hex) {
  const text = textOf(hex).replace(/[^ !#-[\]-~]/g, (character) => {
    const known = { "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\" }[character];
    return known ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return `b"${text}"`;
}
