// A class answers a question together: the button with which a student sends an answer as a vote. The
// bar of the class has the poll in its data, and sends the vote.

import { button, byId } from "../common/dom.js";

const SENT = "You have voted in this round. The bar of your class says how it goes on.";

// Shows the button below the question's answer, as long as the class votes on it.
export function offerVote(question) {
  const made = button("Send as my vote", () => question.attempt(() => send(question)));
  question.section.querySelector(".answer").append(made);
  const update = () => {
    const { poll, voted } = byId("class-bar").dataset;
    const isAsked = poll === question.url;
    if (isAsked && voted === "yes" && !made.hidden) question.say(SENT);
    const hadFocus = document.activeElement === made;
    made.hidden = !isAsked || voted === "yes";
    if (made.hidden && hadFocus) made.previousElementSibling.focus();
  };
  made.hidden = true;
  addEventListener("class-poll", update);
  update();
}

function send({ answer, feed }) {
  const parameters = answer.parameters();
  const of = (name) => parameters.filter(([one]) => one === name).map(([, value]) => value);
  dispatchEvent(new CustomEvent("vote", { detail: { feed, given: of("given"), never: of("never") } }));
}
