// A class answers a question together: the button with which a student sends an answer as a vote. The
// bar of the class has the question in its data, and sends the vote.

import { button, byId } from "../common/dom.js";

const SENT = "You have voted. Your instructor shows the answer later.";
const WAIT = "Your class answers this question together. Your instructor shows the answer.";

// Shows the button below the question's answer, as long as the class votes on it. Until the instructor
// shows the answer, the page does not show it either: the question cannot be checked.
export function offerVote(question) {
  const box = question.section.querySelector(".answer");
  const check = box.lastElementChild;
  const made = button("Send as my vote", () => question.attempt(() => send(question)));
  made.className = "vote";
  box.append(made);
  const update = () => {
    const { poll, stage, voted } = byId("class-bar").dataset;
    const isAsked = poll === question.url && stage !== "shown";
    const hadFocus = box.contains(document.activeElement);
    const wasAsked = check.hidden;
    check.hidden = isAsked;
    made.hidden = !isAsked || stage !== "open" || voted === "yes";
    if (isAsked) question.say(voted === "yes" ? SENT : stage === "open" ? "" : WAIT);
    else if (wasAsked) question.say("");
    if (hadFocus && document.activeElement?.hidden) [check, made].find(({ hidden }) => !hidden)?.focus();
  };
  addEventListener("class-poll", update);
  update();
}

function send({ answer, feed }) {
  const parameters = answer.parameters();
  const of = (name) => parameters.filter(([one]) => one === name).map(([, value]) => value);
  dispatchEvent(new CustomEvent("vote", { detail: { feed, given: of("given"), never: of("never") } }));
}
