// Draws what stands in the diagram's layout, as SVG. Text off the wire becomes text nodes.

import { cut, formatTime, withoutProtocol } from "./event_text.js";

const SPACE = "http://www.w3.org/2000/svg";
const AT_LEAST = 60; // characters that the label of a layer's arrow may have, however short that is
const NARROW = 24; // characters in which the protocol's name would take the room of what tells
const BIRTH = 8; // the radius of what a consumer instance begins with
const TEXT = 0.56; // of a row: where its text stands, and where its arrow runs
const LINE = 0.8;

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// `scale` is {height (of a row), width, left (room for the time), character (its width), zoom}.
export function drawRow(row, scale) {
  const top = row.index * scale.height;
  const made = svg("g", { class: `row ${row.kind}`, transform: `translate(0,${top})` });
  if (row.entry.event) made.dataset.lane = row.entry.event.lane;
  if (row.isDifferent) {
    made.classList.add("different");
    made.append(text("sign", scale.left, scale.height * TEXT, "≠"));
  }
  if (row.isLate) made.append(line("pause", 0, scale.width, 0));
  if (row.kind === "gap") return drawGap(made, row, scale);
  made.append(text("time", scale.left - 6, scale.height * TEXT, formatTime(row.at), "end"));
  if (row.kind === "mark") drawMark(made, row, scale);
  else drawArrow(made, row, scale);
  return made;
}

function drawArrow(made, { kind, from, to, type, telling, begins, entry }, scale) {
  const y = scale.height * LINE;
  const forth = to.x > from.x ? 1 : -1;
  const end = to.x - forth * (kind === "start" ? BIRTH * scale.zoom + 1 : to.kind === "consumer" ? 5 : 1);
  made.append(line("shaft", from.x + forth * (from.kind === "consumer" ? 5 : 0), end - forth * 4, y));
  const size = 4 * scale.zoom;
  made.append(svg("path", { class: "tip", d: `M${end},${y}l${-forth * size * 1.7},${-size}v${2 * size}z` }));
  const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
  const x = left + 9;
  const isFree = from.x < to.x ? from.kind === "consumer" : to.kind === "consumer"; // to its right
  const least = isFree ? AT_LEAST * scale.character : 0;
  const room = Math.min(Math.max(right - x - 9, least), scale.width - x - 2);
  drawLabel(made, x, type, telling, room, scale);
  if (kind === "start") drawBirth(made, to.x, entry.of.ordinal, scale);
  if (begins) drawHandler(made, begins, to.kind === "consumer" ? to : from, to.x < from.x, scale);
}

// Right of the bar, and below the arrow that comes from there.
function drawHandler(made, name, { x }, isFromRight, { width, character, height, zoom }) {
  const shown = cut(name, (width - x - 14) / character);
  const y = height * LINE + (isFromRight ? 10 : 3) * zoom;
  made.append(text("handler", x + 11, y, shown));
}

function drawLabel(made, x, type, telling, room, scale) {
  const most = Math.floor(room / scale.character);
  const words = telling ? ` ${telling}` : "";
  const kind = most < NARROW ? withoutProtocol(type) : type;
  const label = text("label", x, scale.height * TEXT, "");
  label.append(svg("tspan", { class: "type" }, cut(kind, most)));
  if (kind.length + 3 < most) label.append(cut(words, most - kind.length));
  made.append(label);
}

function drawBirth(made, x, ordinal, { height, zoom }) {
  const y = height * LINE;
  made.append(svg("circle", { class: "instance", cx: x, cy: y, r: BIRTH * zoom }));
  made.append(text("ordinal", x, y + 3.6 * zoom, ordinal, "middle"));
}

function drawMark(made, { on, type, telling, isEnd, begins }, scale) {
  const y = scale.height * TEXT - 3;
  const size = 4 * scale.zoom;
  const cross = `M${on.x - size},${y - size}l${2 * size},${2 * size}m0,${-2 * size}l${-2 * size},${2 * size}`;
  if (isEnd) made.append(svg("path", { class: "cross", d: cross }));
  else made.append(svg("circle", { class: "dot", cx: on.x, cy: y, r: size * 0.8 }));
  if (type === "raised") made.classList.add("wrong");
  drawLabel(made, on.x + 11, type, telling || begins || "", scale.width - on.x - 13, scale);
}

function drawGap(made, { text: words }, { left, width, height }) {
  const half = (words.length * 7) / 2 + 8;
  const [middle, y] = [(left + width) / 2, height / 2];
  made.append(line("gap-line", left, middle - half, y), line("gap-line", middle + half, width, y));
  made.append(text("label", middle, y + 4, words, "middle"));
  return made;
}

export function drawBar({ lane: { x }, from, to, depth }, { height }, isLit) {
  const y = (from + LINE) * height - 4;
  const tall = Math.max((to + LINE) * height + 4 - y, 8);
  const name = isLit ? "bar highlighted" : "bar";
  return svg("rect", { class: name, x: x - 5 + depth * 6, y, width: 10, height: tall, rx: 2 });
}

export function drawLane(kind, x, top, tall) {
  const made = svg("path", { class: "lane", d: `M${x},${top}v${tall}` });
  made.dataset.lane = kind;
  return made;
}

// From its first event to its last; below that too while it lives.
export function drawLife({ own, from, to, ended }, { height }, bottom) {
  const end = ended ? (to + TEXT) * height : bottom;
  return [own.consumer, own.client].filter(Boolean).map((lane) => {
    const made = svg("path", { class: "lifeline", d: `M${lane.x},${(from + LINE) * height}V${end}` });
    made.dataset.lane = lane.kind;
    return made;
  });
}

function line(name, from, to, y) {
  return svg("path", { class: name, d: `M${from},${y}H${to}` });
}

function text(name, x, y, words, anchor = "start") {
  return svg("text", { class: name, x, y, "text-anchor": anchor }, String(words));
}
