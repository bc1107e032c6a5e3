import assert from "node:assert/strict";
import test from "node:test";

import { connectStep, PlayedSteps } from "../../../../lessons/workshop/page/static/lessons/lesson/played_steps.js";

const CONNECT = { action: "connect", arguments: {} };
const text = (text) => ({ action: "text", arguments: { text } });

function played() {
  const clock = { now: 0 };
  const steps = new PlayedSteps(() => clock.now);
  const texts = () => steps.toTexts().map((step) => JSON.parse(step));
  return { clock, steps, texts };
}

test("a slow answer becomes a wait, and the user's own pause does not", () => {
  const { clock, steps, texts } = played();
  steps.add(1, CONNECT);
  clock.now = 1240;
  steps.answered();
  clock.now = 60_000;
  steps.add(1, text("hello"));
  assert.deepEqual(texts().map(({ action, arguments: { seconds } }) => [action, seconds]), [
    ["connect", undefined],
    ["wait", 1.2],
    ["text", undefined],
  ]);
});

test("after clear() the steps begin with the connections that are open", () => {
  const { steps, texts } = played();
  for (const client of [1, 2]) steps.add(client, CONNECT);
  steps.disconnected(1);
  steps.clear();
  assert.deepEqual(texts(), [{ client: 2, ...CONNECT }]);
  steps.disconnected(2);
  steps.clear();
  assert.deepEqual(texts(), []);
});

test("a handshake's step leaves out what the server assumes", () => {
  const home = "/ws/home/";
  const step = (options) =>
    connectStep({ path: home, subprotocols: [], account: "", origin: "", ...options }, home).arguments;
  assert.deepEqual(step({}), {});
  assert.deepEqual(step({ account: "anonymous" }), {});
  assert.deepEqual(step({ path: "/ws/a b/?c=d e?" }), { path: "/ws/a%20b/", query: "c=d%20e?" });
  assert.deepEqual(step({ path: `${home}?a=1` }), { query: "a=1" });
  assert.deepEqual(step({ account: "ada", origin: "http://a.test", subprotocols: ["v1", "v2"] }), {
    subprotocols: ["v1", "v2"],
    as: "ada",
    origin: "http://a.test",
  });
});
