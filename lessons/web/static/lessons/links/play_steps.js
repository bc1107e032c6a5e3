// Lets the server play steps on a target, and shows the recording in the main diagram.

import { fetchJson, playUrl } from "../common/server.js";
import { Transcript } from "../diagram/transcript.js";
import { showStep } from "../workspace/steps.js";

export const feedOf = (panel) => panel.dataset.feed.split("/").at(-2);

// The name of a target, as a reader knows it.
export function titleOf(target) {
  if (target === "example") return "the worked example";
  if (target === "exercise") return "your exercise";
  if (target.startsWith("mistake:")) return `the mistake ${target.slice("mistake:".length)}`;
  return target === "solution" ? "the solution" : target;
}

// `steps` are texts. Throws an Error with the server's reason if it plays nothing.
export async function playSteps(panel, recording, { target, steps }) {
  const { play, source: sourceUrl } = panel.dataset;
  const feed = feedOf(panel);
  const parameters = [["target", target], ...steps.map((step) => ["step", step])];
  const [answer, source] = await Promise.all([
    fetchJson(playUrl(play, feed, parameters)),
    fetchJson(playUrl(sourceUrl, feed, [["target", target]])).catch(() => null),
  ]);
  const title = `Played on ${titleOf(target)}: ${answer.steps.join(" · ")}`;
  const transcript = Transcript.from(answer.recording);
  recording.showSaved(transcript, { title, source, differs: null });
  recording.playback.seek(null);
  showStep("wire");
}
