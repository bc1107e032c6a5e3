// Lets the server play steps on a target, and shows the recording in the main diagram.

import { feedOf, fetchJson, playUrl } from "../common/server.js";
import { Transcript } from "../diagram/transcript.js";
import { fetchSource } from "../live/source_view.js";
import { showStep } from "../workspace/steps.js";

// The name of a target, as a reader knows it.
export function titleOf(target) {
  if (target === "example") return "the worked example";
  if (target === "exercise") return "your exercise";
  if (target.startsWith("mistake:")) return `the mistake ${target.slice("mistake:".length)}`;
  return target === "solution" ? "the solution" : target;
}

// `steps` are texts. Throws an Error with the server's reason if it plays nothing.
export async function playSteps(panel, recording, { target, steps }) {
  const parameters = [["target", target], ...steps.map((step) => ["step", step])];
  const [answer, source] = await Promise.all([
    fetchJson(playUrl(panel.dataset.play, feedOf(panel), parameters)),
    fetchSource(panel, target).catch(() => null),
  ]);
  const title = `Played on ${titleOf(target)}: ${answer.steps.join(" · ")}`;
  const transcript = Transcript.from(answer.recording);
  recording.showSaved(transcript, { title, source, differs: null });
  recording.playback.seek(null);
  showStep("wire");
}
