// "Show me": the conversation of a red claim, played on the student's code, in the main diagram.

import { byId, element, loadCss } from "../common/dom.js";
import { feedOf, fetchJson, playUrl } from "../common/server.js";
import { detailsOf, typeOf } from "../diagram/event_text.js";
import { Transcript } from "../diagram/transcript.js";
import { showStep } from "../workspace/steps.js";
import { fetchSource } from "./source_view.js";

const css = loadCss("live/failing.css");

// `button` names the claim: its number in the verdict. The button says why it cannot be shown.
export async function showFailing(button, recording, panel) {
  const { url, claim } = button.dataset;
  button.disabled = true;
  try {
    const [answer, source] = await Promise.all([
      fetchJson(playUrl(url, feedOf(panel), [["claim", claim]])),
      fetchSource(panel, "exercise").catch(() => null),
      css,
    ]);
    const transcript = Transcript.from(answer.received);
    const differs = answer.differs && (answer.differs.wrong ?? transcript.entries.length);
    recording.showSaved(transcript, { title: `Your exercise, failing: ${answer.title}`, source, differs });
    showParting(answer);
    showStep("wire");
  } catch (error) {
    button.after(element("p", error.message, "notice"));
  } finally {
    button.disabled = false;
  }
}

// Expected beside received, at the event at which the two conversations part.
function showParting({ expected, received, differs, steps }) {
  byId("parting")?.remove();
  const box = element("section", "", "parting");
  box.id = "parting";
  const played = element("p", "Played: ");
  played.append(element("code", steps.map(({ step }) => step).join(" · ")));
  box.append(played);
  if (differs) box.append(side("Expected", expected.events[differs.right]), side("Received", received.events[differs.wrong]));
  byId("saved-recording").append(box);
}

function side(title, event) {
  const box = element("div", "", "side");
  const text = event ? `${typeOf(event)} ${detailsOf(event)}`.trim() : "nothing: it ends here";
  box.append(element("b", title), " ", element("code", text));
  return box;
}
