// The dialogs of the board. A dialog makes the frame of an action; it closes if the room accepts it.

import { fetchJson } from "../lessons/common/server.js";
import { html, signal, useLayoutEffect, useRef, useSignal } from "../lessons/vendor/preact.js";
import { shownName } from "./names.js";
import { currentLesson } from "./room_state.js";
import { page, room, send, tell, titleOf } from "./store.js";

const KINDS = { receives: "who receives what", order: "the order of events" };

const current = signal(null); // the open dialog: {name, student, opened}
let opened = 0; // so that a dialog that opens as another one closes is a new one
const course = signal({ lessons: [] }); // what the lessons offer, or an error

export const open = (name, student = "") => (current.value = { name, student, opened: ++opened });

export function Dialog() {
  return current.value && html`<${OpenDialog} key=${current.value.opened} ...${current.value} />`;
}

function OpenDialog({ name, student, opened: mine }) {
  const box = useRef();
  const error = useSignal("");
  const { title, about, Fields, frame, submit, kind = "primary" } = DIALOGS[name];
  useLayoutEffect(() => {
    box.current.showModal();
    if (student) box.current.querySelector("textarea").focus();
    if (Fields === Look || Fields === Predict) loadCourse();
  }, []);
  let isSending = false; // until the room answers, neither a click nor Enter sends it again
  const onSubmit = async (event) => {
    event.preventDefault();
    if (isSending) return;
    isSending = true;
    error.value = "";
    try {
      const { done, ...values } = frame(new FormData(event.target), name);
      await send(values);
      tell(done);
      box.current.close();
    } catch (failure) {
      error.value = failure.message;
    }
    isSending = false;
  };
  return html`<dialog ref=${box} aria-labelledby="dialog-title" onClose=${() => current.peek()?.opened === mine && (current.value = null)}>
    <form onSubmit=${onSubmit}>
      <h2 id="dialog-title">${title}</h2>
      ${about && html`<p class="quiet">${about}</p>`}
      <${Fields} name=${name} student=${student} />
      <p class="error" role="alert">${error.value || course.value.error}</p>
      <p class="actions"><button class=${kind}>${submit}</button> <button type="button" onClick=${() => box.current.close()}>Cancel</button></p>
    </form>
  </dialog>`;
}

async function loadCourse() {
  if (course.value.lessons.length) return;
  try {
    course.value = await fetchJson(page.course);
  } catch (error) {
    course.value = { lessons: [], error: error.message };
  }
}

const studentOf = (form) => room.value.students.find(({ id }) => id === Number(form.get("student")));

function StudentChoice({ label, none, student, required }) {
  const rows = room.peek().students;
  return html`<label>${label} <select name="student" autocomplete="off" required=${required}><option value="">${none}</option>
    ${rows.map((row) => html`<option key=${row.id} value=${row.id} selected=${row.id === student}>${shownName(row)}</option>`)}</select></label>`;
}

function Message({ student }) {
  return html`<${StudentChoice} label="To" none="all students" student=${student} />
    <label>Text <textarea name="text" maxlength="2000" rows="4" required autocomplete="off"></textarea></label>`;
}

function messageFrame(form) {
  const to = studentOf(form);
  const done = `The message to ${to ? shownName(to) : "all students"} was sent.`;
  return { type: "message", student: to?.id ?? null, text: form.get("text"), done };
}

function Remove() {
  return html`<${StudentChoice} label="Student" none="choose a student" required />`;
}

function removeFrame(form) {
  const row = studentOf(form);
  if (!row) throw new Error("This student was removed already.");
  return { type: "remove", student: row.id, done: `${shownName(row)} was removed.` };
}

// The lesson of the class, and what the course has for the lesson that is chosen.
function useLesson() {
  const { lessons } = course.value;
  const slug = useSignal(currentLesson(room.peek()) ?? page.lessons[0].slug);
  const choice = html`<label>Lesson <select name="lesson" autocomplete="off" required onChange=${({ target }) => (slug.value = target.value)}>
    ${lessons.map((one) => html`<option key=${one.slug} value=${one.slug} selected=${one.slug === slug.value}>${one.number} ${one.title}</option>`)}</select></label>`;
  return [choice, lessons.find((one) => one.slug === slug.value), slug.value];
}

function Look() {
  const [choice, lesson, slug] = useLesson();
  return html`${choice}
    <label>Step <select name="step" autocomplete="off"><option value="">as the lesson opens</option><option value="predict">Predict</option><option value="see">See</option><option value="do">Do</option></select></label>
    <label>A mistake, beside the solution <select key=${`mistake ${slug}`} name="mistake" autocomplete="off"><option value="">none</option>
      ${lesson?.mistakes.map(({ name, title }) => html`<option value=${name}>${title}</option>`)}</select></label>
    <label>A conversation <select key=${`steps ${slug}`} name="conversation" autocomplete="off"><option value="">none</option>
      ${lesson?.conversations.map((steps) => html`<option value=${steps}>${steps}</option>`)}</select></label>`;
}

function lookFrame(form) {
  const place = Object.fromEntries([...form].filter(([, value]) => value));
  return { type: "look", place, done: `Everyone looks at lesson ${titleOf(place.lesson)}.` };
}

function Timer({ name }) {
  return html`<label>Minutes <input type="number" name="minutes" min="0.5" max="600" step="0.5" defaultValue="10" required /></label>
    ${name === "timer" && html`<label>For what? <input name="label" maxlength="80" placeholder="Lesson 3, part Do" autocomplete="off" /></label>`}`;
}

function timerFrame(form, name) {
  const seconds = Math.round(Number(form.get("minutes")) * 60);
  const done = "The timer runs on every student’s page.";
  return { type: "timer", seconds, label: form.get("label") ?? "", is_break: name === "break", done };
}

function Ask() {
  const isOwn = useSignal(false);
  return html`<label>Question <textarea name="text" maxlength="2000" rows="2" required autocomplete="off" defaultValue="Are you done?"></textarea></label>
    <label>Answers <select name="answers" autocomplete="off" onChange=${({ target }) => (isOwn.value = !target.value)}>
      <option value="done|need time">done, need time</option><option value="A|B|C|D">A, B, C, D</option><option value="yes|no">yes, no</option><option value="">other answers</option></select></label>
    ${isOwn.value && html`<label>One answer a line <textarea name="own" maxlength="1000" rows="4" autocomplete="off"></textarea></label>`}`;
}

function askFrame(form) {
  const options = form.get("answers") ? form.get("answers").split("|") : form.get("own").split("\n");
  return { type: "ask", text: form.get("text"), options, done: "The question is on every student’s page." };
}

function Predict() {
  const [choice, lesson, slug] = useLesson();
  return html`${choice}<fieldset><legend>Question</legend><div class="poll-questions" key=${slug}>
    ${lesson?.questions.map(({ kind, html: text }, index) => html`<label class="question">
      <input type="radio" name="question" value=${index + 1} required defaultChecked=${!index} />
      <div><div dangerouslySetInnerHTML=${{ __html: text }} /><p class="quiet">${KINDS[kind] ?? kind}</p></div></label>`)}
    ${lesson?.questions.length === 0 && "This lesson has no questions."}</div></fieldset>`;
}

function predictFrame(form) {
  if (!form.get("question")) throw new Error("This lesson has no questions.");
  return { type: "predict", lesson: form.get("lesson"), question: Number(form.get("question")), done: "The question is open." };
}

function Today() {
  const { start = "09:00", factor = 1.5, lessons } = room.peek().today ?? {};
  const isChosen = ({ slug, isTaught }) => (lessons ? lessons.includes(slug) : isTaught);
  return html`<div class="pair"><label>Start <input type="time" name="start" defaultValue=${start} required /></label> <label>Factor <input type="number" name="factor" min="0.5" max="5" step="0.1" defaultValue=${factor} required /></label></div>
    <fieldset class="scroll" id="today-lessons" tabindex="0"><legend>Lessons</legend>
      ${page.lessons.map((one) => html`<label class="check"><input type="checkbox" name="lesson" value=${one.slug} defaultChecked=${isChosen(one)} /> ${one.number} ${one.title}${one.isOptional ? " (optional)" : ""}</label>`)}
    </fieldset>`;
}

function todayFrame(form) {
  const lessons = form.getAll("lesson");
  if (!lessons.length) throw new Error("Choose a lesson.");
  return { type: "today", lessons, start: form.get("start"), factor: Number(form.get("factor")), done: "The plan is set." };
}

const COUNTS_DOWN = "It counts down on every page, and on the slide.";
const DIALOGS = {
  message: { title: "Message", submit: "Send", Fields: Message, frame: messageFrame },
  look: { title: "Everyone look here", about: "Every student’s workshop opens this place.", submit: "Point there", Fields: Look, frame: lookFrame },
  timer: { title: "Timer", about: COUNTS_DOWN, submit: "Start", Fields: Timer, frame: timerFrame },
  break: { title: "Break", about: COUNTS_DOWN, submit: "Start", Fields: Timer, frame: timerFrame },
  ask: { title: "Ask the class", submit: "Ask the class", Fields: Ask, frame: askFrame },
  predict: { title: "Ask a question of a lesson", about: "Students vote, you close, they discuss, they vote again, then you show the answer.", submit: "Ask the class", Fields: Predict, frame: predictFrame },
  today: { title: "Today’s lessons", about: "The grid has these lessons, and each student’s next lesson is one of them. The times are those of the course, multiplied by the factor.", submit: "Set the plan", Fields: Today, frame: todayFrame },
  remove: { title: "Remove student", about: "This deletes what the room knows of the student, and ends the connection of the student’s workshop. The student can join again.", submit: "Remove", kind: "danger", Fields: Remove, frame: removeFrame },
};
