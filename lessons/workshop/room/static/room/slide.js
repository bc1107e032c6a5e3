// The slide for the projector: the current lesson, how many are green, the timer, the question. It has
// no names.

import { byId, element, setText } from "../lessons/common/dom.js";
import { followClass } from "./class_socket.js";
import { optionsChart } from "./poll_chart.js";
import { clock, currentLesson } from "./room_state.js";

const lessons = JSON.parse(byId("lessons").textContent);
let state = null;
let takenAt = 0;

function show() {
  if (!state) return;
  const { timer, students, poll } = state;
  const left = timer ? timer.seconds - (performance.now() - takenAt) / 1000 : 0;
  const isBreak = left > 0 && timer.is_break;
  byId("main").toggleAttribute("data-break", isBreak);
  const lesson = lessons.find(({ slug }) => slug === currentLesson(state));
  const title = lesson ? `${lesson.number} ${lesson.title}` : "Welcome";
  setText(byId("slide-lesson"), isBreak ? "Break" : title);
  setText(byId("slide-timer"), left > 0 ? clock(left) : "");
  setText(byId("slide-label"), left > 0 ? timer.label : "");
  const inClass = students.filter(({ connected, standings }) => connected || standings[lesson?.slug]);
  const green = inClass.filter(({ standings }) => standings[lesson?.slug]?.state === "green").length;
  setText(byId("slide-green"), lesson && !isBreak ? `${green} of ${inClass.length} green` : "");
  byId("slide-progress").hidden = !lesson || isBreak;
  Object.assign(byId("slide-progress"), { max: inClass.length || 1, value: green });
  showPoll(isBreak ? null : poll);
}

function showPoll(poll) {
  byId("slide-poll").hidden = !poll;
  const key = JSON.stringify(poll);
  if (!poll || byId("slide-poll").dataset.key === key) return;
  byId("slide-poll").dataset.key = key;
  const text = element("div", "", "slide-question");
  if (poll.lesson) text.innerHTML = poll.text; // the course's text, which the server has rendered
  else text.textContent = poll.text;
  const votes = element("p", `${poll.votes} of ${poll.students} have voted`, "quiet");
  const rounds = poll.state === "open" ? [] : poll.rounds;
  byId("slide-poll").replaceChildren(text, ...(poll.lesson ? [] : [optionsChart(poll.options, rounds)]), votes);
}

followClass(byId("main").dataset.socket, (news) => {
  state = news;
  takenAt = performance.now();
  show();
});
setInterval(show, 250);
