// An event as text. The server writes the text; this module only splits and shortens it.

export function typeOf({ message: { type } }) {
  return String(type ?? "(no type)");
}

// The text of an event without its type: `text: "hello"`.
export function detailsOf(event) {
  const { text = "" } = event;
  const type = typeOf(event);
  return text.startsWith(type) ? text.slice(type.length).trim() : text;
}

// `[type, details]` for a diagram, where space is short: no key before a payload, no origin in a
// scope. A query is its verb and its table, because the names of the columns would fill the line.
export function labelOf(event) {
  const { type, sql } = event.message;
  if (type === "scope") return [type, detailsOf(event).replace(/ {2}origin: .*$/, "")];
  if (type !== "query") return [typeOf(event), detailsOf(event).replace(/^(text|bytes|body): (?=["'b])/, "")];
  const [verb, ...rest] = String(sql).trim().split(/\s+/);
  const [, table] = sql.match(/\b(?:FROM|INTO|UPDATE|TABLE)\s+["`]?([\w.]+)/i) ?? [];
  return [verb, table ?? rest.join(" ")];
}

// "receive" for "websocket.receive", and for the handler "websocket_receive".
export function withoutProtocol(type) {
  return type.replace(/^(websocket|http)[._]/, "");
}

export function cut(text, length) {
  return text.length <= length ? text : `${text.slice(0, Math.max(1, length - 1))}…`;
}

// A time in at most four digits, because the margin of a diagram is narrow.
export function formatTime(seconds) {
  if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.1 ? 1 : 0)} ms`;
  return `${seconds.toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 0)} s`;
}
