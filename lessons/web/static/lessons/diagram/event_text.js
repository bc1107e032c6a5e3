// An ASGI message, or a call of the layer's, in words: a line of them, for table and diagram.

const CALLS = new Set(["send", "group_send", "group_add", "group_discard"]); // of the layer
const PAYLOADS = new Set(["text", "bytes", "body"]);
const LATIN = new Set(["query_string", "headers", "raw_path"]);

export function typeOf({ type }) {
  return String(type ?? "(no type)");
}

// All of it; a call in the words in which it arrives: the message at its receiver, a channel in
// its group.
export function wordsOf(message) {
  const { type, ...rest } = message;
  if (type === "query") return String(rest.sql);
  if (type === "raised") return String(rest.error);
  if (type === "scope") return pathOf(rest);
  if (!isCall(message)) return pairs(rest, shown);
  const { group, channel, message: inner } = rest;
  const what = inner ? `${typeOf(inner)}  ${wordsOf(inner)}` : channel;
  return `"${group ?? channel}": ${what}`.trimEnd();
}

// `[type, what tells most]`, where there is no room for all.
export function brieflyOf(message) {
  const { type, headers, more_body: more, ...rest } = message;
  if (type === "query") return brieflyOfQuery(String(rest.sql));
  if (type === "raised" || type === "scope") return [type, wordsOf(message)];
  if (!isCall(message)) return [typeOf(message), pairs(more ? { ...rest, more_body: more } : rest, brief)];
  const { group, channel, message: inner } = rest;
  const what = inner ? brieflyOf(inner).join(" ") : channel;
  return [type, `"${group ?? channel}" ${what}`.trimEnd()];
}

export function isCall({ type, group, channel }) {
  return CALLS.has(type) && (group ?? channel) !== undefined;
}

export function shown(key, value) {
  if (isBytes(value)) {
    if (LATIN.has(key)) return textOf(value.bytes);
    const digits = value.bytes.match(/../g) ?? [];
    return `${digits.join(" ") || "none"} (${digits.length} bytes)`;
  }
  if (value === null) return "None"; // they are Python's messages
  return JSON.stringify(value) ?? String(value);
}

function pathOf({ method = "", path = "", channel = "", query_string: query, subprotocols = [] }) {
  const asked = query ? `?${shown("query_string", query)}` : "";
  const offered = subprotocols.length ? `  subprotocols: ${subprotocols.join(", ")}` : "";
  return `${method} ${path}${asked}${channel}${offered}`.trim();
}

function pairs(message, write) {
  return Object.entries(message)
    .map(([key, value]) => (PAYLOADS.has(key) && write === brief ? "" : `${key}: `) + write(key, value))
    .join("  ");
}

function brief(key, value) {
  return isBytes(value) ? bytesLiteral(value.bytes) : literal(value).replace(/\n */g, " ");
}

// The verb and the table: names of columns would fill the page.
function brieflyOfQuery(sql) {
  const [verb, ...rest] = sql.trim().split(/\s+/);
  const [, table] = sql.match(/\b(?:FROM|INTO|UPDATE|TABLE)\s+["`]?([\w.]+)/i) ?? [];
  return [verb, table ?? rest.join(" ")];
}

// "receive" for "websocket.receive".
export function shortly(type) {
  return type.replace(/^(websocket|http)\./, "");
}

export function cut(words, most) {
  return words.length <= most ? words : `${words.slice(0, Math.max(1, most - 1))}…`;
}

// In four digits at most: a diagram's margin has no room for more.
export function inTime(seconds) {
  if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.1 ? 1 : 0)} ms`;
  return `${seconds.toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 0)} s`;
}

// A recorded message as Python writes it: what the consumer was given, or gave.

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

// Bytes as a person writes and reads them: pairs of hex digits.
export function bytesFromHex(hex) {
  const digits = hex.replace(/[\s:]/g, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits)) {
    throw new Error("Bytes are pairs of hex digits, such as 00 ff.");
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function hexFromBytes(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

export function textOf(hex) {
  return String.fromCharCode(...bytesFromHex(hex));
}

// How the recorder writes bytes down.
export function isBytes(value) {
  return typeof value?.bytes === "string" && Object.keys(value).length === 1;
}
