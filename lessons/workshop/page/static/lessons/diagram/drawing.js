// Draws the parts of a diagram's layout as SVG. Text from the network becomes text nodes only.

import { cut, formatTime, withoutProtocol } from "./event_text.js";

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";
const INSTANCE_RADIUS = 8; // of the circle at which a consumer instance starts
const TEXT_Y = 0.53; // the text of a row, as a share of its height
const ARROW_Y = 0.77;

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG_NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// `scale` is {height (of a row), width, left (of the first lane), character (its width), zoom}.
export function drawRow(row, scale) {
  const top = row.top * scale.height;
  const made = svg("g", { class: `row ${row.kind}`, transform: `translate(0,${top})` });
  if (row.entry.event) made.dataset.lane = row.entry.event.lane;
  if (row.isDifferent) {
    made.classList.add("different");
    made.append(text("sign", scale.left, scale.height * TEXT_Y, "≠"));
  }
  if (row.isAfterPause) made.append(line("pause", 0, scale.width, 0));
  if (row.kind === "gap" || row.kind === "outside") return drawGap(made, row, scale);
  if (row.at !== null) made.append(text("time", scale.left - 6, scale.height * TEXT_Y, formatTime(row.at), "end"));
  if (row.kind === "mark") drawMark(made, row, scale);
  else drawArrow(made, row, scale);
  return made;
}

function drawArrow(made, { kind, from, to, type, details, started, entry }, scale) {
  const y = scale.height * ARROW_Y;
  const forth = to.x > from.x ? 1 : -1;
  const radius = INSTANCE_RADIUS * scale.zoom;
  const end = to.x - forth * (kind === "start" ? radius + 1 : to.kind === "consumer" ? 5 : 1);
  made.append(line("shaft", from.x + forth * (from.kind === "consumer" ? 5 : 0), end - forth * 4, y));
  const size = 4 * scale.zoom;
  made.append(svg("path", { class: "tip", d: `M${end},${y}l${-forth * size * 1.7},${-size}v${2 * size}z` }));
  const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
  const x = left + 9;
  drawLabel(made, x, type, details, right - x - 9, scale);
  if (kind === "start") drawInstance(made, to.x, entry.of.ordinal, scale);
  if (started) drawHandler(made, started, to.kind === "consumer" ? to : from, to.x < from.x, scale);
}

// At the side of the bar that the arrow does not come from.
function drawHandler(made, name, { x }, isFromRight, { width, character, height, zoom }) {
  const y = height * ARROW_Y + 4 * zoom;
  if (isFromRight) made.append(text("handler", x - 11, y, name, "end"));
  else {
    const length = (width - x - 14) / character;
    made.append(text("handler", x + 11, y, cut(name.length > length ? withoutProtocol(name) : name, length)));
  }
}

// A label has a halo, so it may cross lanes. One that is too long for the room to its right begins
// further left, up to the sign of a difference: what an event says is cut only if it is wider than the
// picture.
function drawLabel(made, x, type, details, room, scale) {
  const fits = Math.floor(room / scale.character);
  const isLong = type.length + details.length + 1 > fits;
  const shownType = isLong ? withoutProtocol(type) : type;
  const needed = (shownType.length + details.length + 1) * scale.character;
  const start = Math.max(Math.min(x, scale.width - 4 - needed), Math.min(x, scale.left + 2 * scale.character));
  const length = Math.floor((scale.width - start - 4) / scale.character + 0.01);
  const label = text("label", start, scale.height * TEXT_Y, "");
  label.append(svg("tspan", { class: "type" }, cut(shownType, length)));
  const rest = details ? ` ${details}` : "";
  if (shownType.length + 3 < length) label.append(cut(rest, length - shownType.length));
  made.append(label);
}

function drawInstance(made, x, ordinal, { height, zoom }) {
  const y = height * ARROW_Y;
  made.append(svg("circle", { class: "instance", cx: x, cy: y, r: INSTANCE_RADIUS * zoom }));
  made.append(text("ordinal", x, y + 3.6 * zoom, ordinal, "middle"));
}

function drawMark(made, { on, type, details, isEnd, started }, scale) {
  const y = scale.height * TEXT_Y - 3;
  const size = 4 * scale.zoom;
  const cross = `M${on.x - size},${y - size}l${2 * size},${2 * size}m0,${-2 * size}l${-2 * size},${2 * size}`;
  if (isEnd) made.append(svg("path", { class: "cross", d: cross }));
  else made.append(svg("circle", { class: "dot", cx: on.x, cy: y, r: size * 0.8 }));
  if (type === "raised") made.classList.add("wrong");
  drawLabel(made, on.x + 11, type, details || started || "", scale.width - on.x - 13, scale);
}

function drawGap(made, { text: label }, { left, width, height }) {
  const half = (label.length * 7) / 2 + 8;
  const [middle, y] = [(left + width) / 2, height / 2];
  made.append(line("gap-line", left, middle - half, y), line("gap-line", middle + half, width, y));
  made.append(text("label", middle, y + 4, label, "middle"));
  return made;
}

export function drawBar({ lane: { x }, top, bottom, depth }, { height }, isHighlighted) {
  const y = (top + ARROW_Y) * height - 4;
  const size = Math.max((bottom + ARROW_Y) * height + 4 - y, 8);
  const shape = { x: x - 5 + depth * 6, y, width: 10, height: size, rx: 2 };
  return svg("rect", { class: isHighlighted ? "bar highlighted" : "bar", ...shape });
}

export function drawLane(kind, x, height) {
  const made = svg("path", { class: "lane", d: `M${x},0v${height}` });
  made.dataset.lane = kind;
  return made;
}

// From the first event of a connection to its last, or to the bottom if the connection is open.
export function drawLifeline({ own, top, bottom: last, ended }, { height }, bottom) {
  const end = ended ? (last + TEXT_Y) * height : bottom;
  return [own.consumer, own.client].filter(Boolean).map((lane) => {
    const made = svg("path", { class: "lifeline", d: `M${lane.x},${(top + ARROW_Y) * height}V${end}` });
    made.dataset.lane = lane.kind;
    return made;
  });
}

function line(name, from, to, y) {
  return svg("path", { class: name, d: `M${from},${y}H${to}` });
}

function text(name, x, y, content, anchor = "start") {
  return svg("text", { class: name, x, y, "text-anchor": anchor }, String(content));
}
