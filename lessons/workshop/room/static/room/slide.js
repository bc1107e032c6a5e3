// The slide for the projector: the current lesson, how many are green, the timer, the question. It has
// no names.

import { byId } from "../lessons/common/dom.js";
import { html, render } from "../lessons/vendor/preact.js";
import { Chart, Question } from "./poll.js";
import { clock, currentLesson } from "./room_state.js";
import { follow, now, page, room } from "./store.js";

function Slide() {
  if (!room.value) return html`<h1>Welcome</h1>`;
  const { timer, students, poll } = room.value;
  const left = timer ? timer.ends - now.value : 0;
  const isBreak = left > 0 && timer.is_break;
  const lesson = page.lessons.find(({ slug }) => slug === currentLesson(room.value));
  const standingOf = ({ standings }) => standings[lesson?.slug];
  const inClass = students.filter((row) => row.connected || standingOf(row));
  const green = inClass.filter((row) => standingOf(row)?.state === "green").length;
  return html`<h1>${isBreak ? "Break" : lesson ? `${lesson.number} ${lesson.title}` : "Welcome"}</h1>
    ${timer && html`<p class="slide-timer"><span id="slide-timer" role="timer">${clock(left)}</span> <span>${timer.label}</span></p>`}
    ${lesson && !isBreak && html`<p class="slide-green"><progress aria-label="Students whose exercise is green" max=${inClass.length || 1} value=${green} />
      <span id="slide-green">${green} of ${inClass.length} green</span></p>`}
    ${poll && !isBreak && html`<section class="slide-poll" aria-label="Question"><${Question} poll=${poll} />
      <${Chart} chart=${poll.chart} />
      <p class="quiet">${poll.votes} of ${poll.students} have voted</p></section>`}`;
}

render(html`<${Slide} />`, byId("slide"));
follow();
