// What an instructor does with a class. Each action is a request, which says what went wrong.

import { byId, element } from "../lessons/common/dom.js";
import { fetchJson } from "../lessons/common/server.js";
import { onNames, shownName } from "./names.js";
import { clock, currentLesson, partsNow } from "./room_state.js";

const ANSWER_TIME = 6000; // milliseconds that the answer to an action is shown
const KINDS = { receives: "who receives what", order: "the order of events" };
const OF_COURSE = ["look-dialog", "poll-dialog"]; // dialogs that offer parts of the lessons

export class Tools {
  // `room` has `state`, `takenAt` and `lessons`, `page` the URLs.
  constructor(room, page, titleOf) {
    Object.assign(this, { room, page, titleOf });
    for (const opener of document.querySelectorAll("[data-dialog]")) {
      opener.onclick = () => this.open(byId(opener.dataset.dialog), opener.dataset.preset);
    }
    for (const closer of document.querySelectorAll("dialog [value=close]")) {
      closer.onclick = () => closer.closest("dialog").close();
    }
    for (const button of document.querySelectorAll("[data-hold]")) {
      const { hold: what } = button.dataset;
      button.onclick = () => this.act({ type: "hold", what, is_held: !room.state.held.includes(what) }, "");
    }
    const forms = { message: "message", look: "look", timer: "timer", ask: "ask", poll: "predict", today: "today", remove: "remove" };
    for (const [name, make] of Object.entries(forms)) this.submits(byId(`${name}-dialog`), (form) => this[make](form));
    for (const name of OF_COURSE) byId(name).querySelector("[name=lesson]").onchange = () => this.fill(byId(name));
    byId("ask-dialog").querySelector("[name=answers]").onchange = () => this.showOwnAnswers();
    const end = (id, frame) => (byId(id).querySelector("button").onclick = () => this.act(frame, ""));
    end("timer", { type: "timer", seconds: 0, label: "", is_break: false });
    end("look", { type: "look", place: null });
    end("today", { type: "today", lessons: [], start: "09:00", factor: 1 });
    byId("today-lessons").append(...room.lessons.map((one) => lessonBox(one)));
    setInterval(() => this.show(), 1000);
    onNames(() => ["message-dialog", "remove-dialog"].forEach((id) => this.fillStudents(byId(id))));
  }

  // Sends an action, and says what came of it.
  async act(frame, done) {
    try {
      await this.send(frame);
      this.say(done);
    } catch (error) {
      this.say(error.message, true);
    }
  }

  send(frame) {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    return fetchJson(this.page.act, { method: "POST", headers, body: JSON.stringify(frame) });
  }

  say(text, isError = false) {
    const box = byId("answer");
    clearTimeout(this.sayTimer);
    box.textContent = text;
    box.classList.toggle("error", isError);
    this.sayTimer = setTimeout(() => (box.textContent = ""), ANSWER_TIME);
  }

  // Draws what the state of the class says.
  show() {
    const { state, takenAt } = this.room;
    if (!state) return;
    const { timer, look, today, held } = state;
    const left = timer ? timer.seconds - (performance.now() - takenAt) / 1000 : 0;
    banner("timer", left > 0 && `${clock(left)} ${timer.is_break ? "Break " : ""}${timer.label}`);
    const { step, mistake, conversation } = look ?? {};
    const parts = [step && `step ${step}`, mistake && `mistake ${mistake}`, conversation].filter(Boolean);
    banner("look", look && ["Everyone looks at lesson", [this.titleOf(look.lesson), ...parts].join(" · ")].join(" "));
    banner("today", today && this.planText(today));
    for (const button of document.querySelectorAll("[data-hold]")) {
      button.setAttribute("aria-pressed", held.includes(button.dataset.hold));
    }
  }

  planText(today) {
    const [now, next] = partsNow(today);
    const text = ({ slug, begins }) => `${begins} lesson ${this.titleOf(slug)}`;
    return `Today’s plan: ${text(now)}${next ? `, then ${text(next)}` : ""}`;
  }

  // The form's frame is sent when it is submitted; the dialog closes if the room accepts it. Until the
  // room answers, neither a click nor Enter sends it again.
  submits(dialog, frameOf) {
    const form = dialog.querySelector("form");
    const submit = form.querySelector("button:not([type])");
    form.onsubmit = async (event) => {
      event.preventDefault();
      const error = form.querySelector(".error");
      error.textContent = "";
      const focused = document.activeElement;
      submit.disabled = true;
      try {
        const { done, ...frame } = frameOf(form.elements);
        await this.send(frame);
        dialog.close();
        if (dialog.id !== "today-dialog") form.reset();
        this.say(done);
      } catch (failure) {
        error.textContent = failure.message;
      } finally {
        submit.disabled = false;
        if (dialog.open) focused.focus(); // a disabled button loses the focus
      }
    };
  }

  async open(dialog, preset) {
    dialog.querySelector(".error").textContent = "";
    if (["message-dialog", "remove-dialog"].includes(dialog.id)) this.fillStudents(dialog, "");
    if (dialog.id === "timer-dialog") dialog.querySelector("[name=is_break]").checked = preset === "break";
    if (dialog.id === "ask-dialog") this.showOwnAnswers();
    dialog.showModal();
    if (!OF_COURSE.includes(dialog.id)) return;
    try {
      this.lessons ??= (await fetchJson(this.page.course)).lessons;
      this.fillLessons(dialog);
    } catch (error) {
      dialog.querySelector(".error").textContent = error.message;
    }
  }

  openMessage(row) {
    const dialog = byId("message-dialog");
    this.open(dialog);
    this.fillStudents(dialog, String(row.id));
    dialog.querySelector("[name=text]").focus();
  }

  fillStudents(dialog, wanted) {
    const select = dialog.querySelector("[name=student]");
    const value = wanted ?? select.value;
    const rows = this.room.state?.students ?? [];
    const none = new Option(dialog.id === "message-dialog" ? "all students" : "choose a student", "");
    select.replaceChildren(none, ...rows.map((row) => new Option(shownName(row), row.id)));
    select.value = value;
  }

  fillLessons(dialog) {
    const select = dialog.querySelector("[name=lesson]");
    if (!select.options.length) {
      select.append(...this.lessons.map(({ slug, number, title }) => new Option(`${number} ${title}`, slug)));
    }
    select.value = (this.room.state && currentLesson(this.room.state)) ?? select.value;
    this.fill(dialog);
  }

  fill(dialog) {
    const { elements } = dialog.querySelector("form");
    const lesson = this.lessons.find(({ slug }) => slug === elements.lesson.value);
    if (dialog.id === "poll-dialog") return this.fillQuestions(lesson.questions);
    const { mistake, conversation } = elements;
    mistake.replaceChildren(new Option("none", ""), ...lesson.mistakes.map(({ name, title }) => new Option(title, name)));
    return conversation.replaceChildren(new Option("none", ""), ...lesson.conversations.map((steps) => new Option(steps, steps)));
  }

  fillQuestions(questions) {
    const made = questions.map(({ kind, html }, index) => {
      const label = element("label", "", "question");
      const choice = document.createElement("input");
      Object.assign(choice, { type: "radio", name: "question", value: index + 1, required: true, checked: !index });
      const text = element("div", "");
      text.innerHTML = html; // the course's text, which the server has rendered
      text.append(element("p", KINDS[kind] ?? kind, "quiet"));
      label.append(choice, text);
      return label;
    });
    byId("poll-questions").replaceChildren(...(made.length ? made : ["This lesson has no questions."]));
  }

  showOwnAnswers() {
    const { answers, own } = byId("ask-dialog").querySelector("form").elements;
    own.closest("label").hidden = answers.value !== "";
  }

  // The frames

  message({ student, text }) {
    const to = this.room.state.students.find(({ id }) => id === Number(student.value));
    const done = `The message to ${to ? shownName(to) : "all students"} was sent.`;
    return { type: "message", student: to?.id ?? null, text: text.value, done };
  }

  remove({ student }) {
    const row = this.room.state.students.find(({ id }) => id === Number(student.value));
    if (!row) throw new Error("This student was removed already.");
    return { type: "remove", student: row.id, done: `${shownName(row)} was removed.` };
  }

  look({ lesson, step, mistake, conversation }) {
    const place = { lesson: lesson.value };
    for (const { name, value } of [step, mistake, conversation]) if (value) place[name] = value;
    return { type: "look", place, done: `Everyone looks at lesson ${this.titleOf(lesson.value)}.` };
  }

  timer({ minutes, label, is_break: isBreak }) {
    const seconds = Math.round(Number(minutes.value) * 60);
    const done = "The timer runs on every student’s page.";
    return { type: "timer", seconds, label: label.value, is_break: isBreak.checked, done };
  }

  ask({ text, answers, own }) {
    const options = (answers.value || own.value).split(answers.value ? "|" : "\n");
    return { type: "ask", text: text.value, options, done: "The question is on every student’s page." };
  }

  predict({ lesson, question }) {
    if (!question) throw new Error("This lesson has no questions.");
    return { type: "predict", lesson: lesson.value, question: Number(question.value), done: "The question is open." };
  }

  today({ start, factor, lesson }) {
    const lessons = [...lesson].filter(({ checked }) => checked).map(({ value }) => value);
    if (!lessons.length) throw new Error("Choose a lesson.");
    return { type: "today", lessons, start: start.value, factor: Number(factor.value), done: "The plan is set." };
  }
}

function lessonBox({ slug, number, title, isCore }) {
  const label = element("label", "", "check");
  const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "lesson", value: slug, defaultChecked: isCore });
  label.append(box, ` ${number} ${title}${isCore ? "" : " (optional)"}`);
  return label;
}

// Shows a text in a banner, or hides it.
function banner(id, text) {
  byId(id).hidden = !text;
  if (text) byId(id).querySelector("span").textContent = text;
}
