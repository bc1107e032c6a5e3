import assert from "node:assert/strict";
import test from "node:test";

import { Transcript } from "../../../../lessons/workshop/page/static/lessons/diagram/transcript.js";
import { Playback } from "../../../../lessons/workshop/page/static/lessons/live/playback.js";
import { event } from "./events.mjs";

globalThis.requestAnimationFrame = (draw) => draw();

function playback() {
  const control = (name) => ({ name, setAttribute: (key, value) => (controls[name][key] = value) });
  const controls = {};
  for (const name of ["play", "speeds", "pause", "scrub", "back", "next", "out", "in"]) controls[name] = control(name);
  const count = {};
  const bar = { querySelectorAll: () => Object.values(controls), querySelector: () => count };
  const diagram = {
    position: null,
    seek: (position) => (diagram.position = position),
    zoomTo: (zoom) => (diagram.zoom = zoom),
  };
  const transcript = new Transcript();
  new Playback(bar, diagram).show(transcript);
  transcript.add({ events: [event("a", 1), event("a", 2), event("a", 3)] });
  return { controls, count, diagram, transcript };
}

test("the controls follow the transcript until it is paused", () => {
  const { controls, count, diagram, transcript } = playback();
  assert.equal(count.textContent, "3 in all");
  controls.pause.onclick();
  assert.equal(diagram.position, 3);
  transcript.add({ events: [event("a", 4)] });
  assert.equal(count.textContent, "3 of 4");
  assert.equal(controls.pause["aria-pressed"], true);
  controls.pause.onclick();
  assert.equal(diagram.position, null);
  assert.equal(count.textContent, "4 in all");
});

test("two clicks while the replay is loaded play the events once, and Stop ends that", async (context) => {
  const timers = new Set();
  const { setTimeout: real, clearTimeout: realClear } = globalThis;
  globalThis.setTimeout = (action) => (timers.add(action), action);
  globalThis.clearTimeout = (timer) => timers.delete(timer);
  context.after(() => Object.assign(globalThis, { setTimeout: real, clearTimeout: realClear }));
  const { controls } = playback();
  await Promise.all([controls.play.onclick(), controls.play.onclick()]);
  assert.equal(timers.size, 1);
  assert.equal(controls.play.textContent, "Stop");
  controls.play.onclick();
  assert.equal(timers.size, 0);
  assert.equal(controls.play.textContent, "Play");
});
