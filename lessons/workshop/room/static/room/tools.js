// What an instructor does with a class: messages, "look here", hints and solutions, the timer, polls,
// and the removal of a student.

import { byId, element } from "../lessons/common/dom.js";
import { fetchJson } from "../lessons/common/server.js";
import { onNames, shownName } from "./names.js";
import { clock, isHeld } from "./room_state.js";

const ANSWER_TIME = 6000; // milliseconds that the answer to an action is shown
const SETTLE_TIME = 1000; // milliseconds in which the state after an action reaches the board
const KINDS = { receives: "who receives what", order: "the order of events" };

export class Tools {
  clicks = new Map(); // box of a hold → the last click, which the state may not show yet

  constructor(room) {
    Object.assign(this, room); // socket, state, now, course, titleOf
    for (const opener of document.querySelectorAll("[data-dialog]")) {
      opener.onclick = () => this.open(byId(opener.dataset.dialog));
    }
    for (const closer of document.querySelectorAll("dialog [value=close]")) {
      closer.onclick = () => closer.closest("dialog").close();
    }
    this.submits("message-dialog", (form) => this.messageFrame(form));
    this.submits("look-dialog", (form) => this.lookFrame(form));
    this.submits("timer-dialog", (form) => this.timerFrame(form));
    this.submits("poll-dialog", (form) => this.pollFrame(form));
    this.submits("remove-dialog", (form) => this.removeFrame(form));
    byId("look-dialog").querySelector("[name=lesson]").onchange = () => this.fillLook();
    byId("poll-dialog").querySelector("[name=lesson]").onchange = () => this.fillQuestions();
    byId("timer").querySelector("button").onclick = () => this.act({ type: "timer", seconds: 0 }, "The timer has ended.");
    byId("look").querySelector("button").onclick = () => this.act({ type: "look", lesson: null }, "");
    setInterval(() => this.showTimer(), 500);
    onNames(() => {
      for (const id of ["message-dialog", "remove-dialog"]) this.fillStudents(byId(id));
    });
  }

  // Draws what the class's state says.
  show() {
    this.showTimer();
    this.showLook();
    if (byId("hold-dialog").open) this.fillHeld();
  }

  // Sends a frame, and says what came of it. Resolves to whether it worked.
  async act(frame, done) {
    try {
      await this.socket.send(frame);
      this.say(done);
      return true;
    } catch (error) {
      this.say(error.message, true);
      return false;
    }
  }

  say(text, isError = false) {
    const box = byId("answer");
    clearTimeout(this.sayTimer);
    box.textContent = text;
    box.classList.toggle("error", isError);
    this.sayTimer = setTimeout(() => (box.textContent = ""), ANSWER_TIME);
  }

  // The form's frame is sent when it is submitted; the dialog closes if the room accepts it. Until the
  // room answers, neither a click nor Enter sends it again.
  submits(id, frameOf) {
    const dialog = byId(id);
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
        await this.socket.send(frame);
        dialog.close();
        form.reset();
        this.say(done);
      } catch (failure) {
        error.textContent = failure.message;
      } finally {
        submit.disabled = false;
        if (dialog.open) focused.focus(); // a disabled button loses the focus
      }
    };
  }

  async open(dialog) {
    dialog.querySelector(".error").textContent = "";
    if (["message-dialog", "remove-dialog"].includes(dialog.id)) this.fillStudents(dialog, "");
    if (dialog.id === "hold-dialog") this.fillHeld();
    dialog.showModal();
    if (!["look-dialog", "poll-dialog"].includes(dialog.id)) return;
    try {
      this.lessons ??= (await fetchJson(this.course)).lessons;
      this.fillLessons(dialog);
    } catch (error) {
      dialog.querySelector(".error").textContent = error.message;
    }
  }

  // Messages

  openMessage(row) {
    const dialog = byId("message-dialog");
    this.open(dialog);
    this.fillStudents(dialog, String(row.id));
    dialog.querySelector("[name=text]").focus();
  }

  fillStudents(dialog, wanted) {
    const select = dialog.querySelector("[name=student]");
    const value = wanted ?? select.value;
    const rows = [...this.state.rows.values()].sort((one, other) => one.number - other.number);
    const none = new Option(dialog.id === "message-dialog" ? "all students" : "choose a student", "");
    select.replaceChildren(none, ...rows.map((row) => new Option(shownName(row), row.id)));
    select.value = value;
  }

  messageFrame({ student, text }) {
    const to = student.value ? Number(student.value) : null;
    const row = this.state.rows.get(to);
    const done = `The message to ${row ? shownName(row) : "all students"} is on its way.`;
    return { type: "message", student: to, text: text.value, done };
  }

  // Removal

  removeFrame({ student }) {
    const row = this.state.rows.get(Number(student.value));
    if (!row) throw new Error("This student was removed already.");
    return { type: "remove", student: row.id, done: `${shownName(row)} was removed.` };
  }

  // Look here

  fillLessons(dialog) {
    const select = dialog.querySelector("[name=lesson]");
    if (!select.options.length) {
      select.append(...this.lessons.map(({ slug, number, title }) => new Option(`${number} ${title}`, slug)));
      select.value = this.usualLesson() ?? select.value;
    }
    select.onchange();
  }

  // The lesson that most students are in.
  usualLesson() {
    const found = new Map();
    for (const { lesson } of this.state.rows.values()) if (lesson) found.set(lesson, (found.get(lesson) ?? 0) + 1);
    return [...found].sort(([, one], [, other]) => other - one)[0]?.[0];
  }

  lessonIn(form) {
    return this.lessons.find(({ slug }) => slug === form.elements.lesson.value);
  }

  fillLook() {
    const form = byId("look-dialog").querySelector("form");
    const { mistakes, conversations } = this.lessonIn(form);
    const { mistake, conversation } = form.elements;
    mistake.replaceChildren(new Option("none", ""), ...mistakes.map(({ name, title }) => new Option(title, name)));
    conversation.replaceChildren(new Option("none", ""), ...conversations.map((steps) => new Option(steps, steps)));
  }

  lookFrame({ lesson, step, mistake, conversation }) {
    const frame = { type: "look", lesson: lesson.value };
    for (const { name, value } of [step, mistake, conversation]) if (value) frame[name] = value;
    return { ...frame, done: `Everyone looks at lesson ${this.titleOf(lesson.value)}.` };
  }

  showLook() {
    const { look } = this.state.room;
    byId("look").hidden = !look;
    if (!look) return;
    const parts = [look.step && `step ${look.step}`, look.mistake && `mistake ${look.mistake}`, look.conversation];
    const place = [`lesson ${this.titleOf(look.lesson)}`, ...parts.filter(Boolean)].join(" · ");
    byId("look").querySelector(".look-text").textContent = `Everyone looks at ${place}`;
  }

  // Hints and solutions

  fillHeld() {
    const { hints_held: hints, solutions_held: solutions } = this.state.room;
    const body = byId("hold-rows");
    const lessons = [{ slug: "*", name: "all lessons" }, ...this.state.lessons];
    // The boxes stay the same: a click on a box that was just replaced would be lost.
    if (body.rows.length !== lessons.length) body.replaceChildren(...lessons.map((one) => this.heldRow(one)));
    for (const box of body.querySelectorAll("input")) {
      if (!this.clicks.has(box)) box.checked = isHeld({ hints, solutions }[box.dataset.what], box.dataset.slug);
    }
  }

  heldRow({ slug, number, name = `${number} ${slug}` }) {
    const row = document.createElement("tr");
    const head = element("th", name);
    head.scope = "row";
    row.append(head);
    for (const what of ["hints", "solutions"]) {
      const box = document.createElement("input");
      box.type = "checkbox";
      Object.assign(box.dataset, { what, slug });
      box.setAttribute("aria-label", `Hold ${what} of ${name}`);
      box.onchange = () => this.hold(box, what, slug);
      row.insertCell().append(box);
    }
    return row;
  }

  async hold(box, what, slug) {
    const error = byId("hold-dialog").querySelector(".error");
    error.textContent = "";
    const click = {};
    this.clicks.set(box, click);
    try {
      await this.socket.send({ type: box.checked ? "hold" : "release", what, lesson: slug });
      setTimeout(() => this.settle(box, click), SETTLE_TIME);
    } catch (failure) {
      error.textContent = failure.message;
      this.settle(box, click);
    }
  }

  // From now on the box shows the state again, unless there was a later click.
  settle(box, click) {
    if (this.clicks.get(box) !== click) return;
    this.clicks.delete(box);
    this.fillHeld();
  }

  // The timer

  timerFrame({ minutes, label }) {
    const seconds = Math.round(Number(minutes.value) * 60);
    return { type: "timer", seconds, label: label.value, done: "The timer runs on every student’s page." };
  }

  showTimer() {
    const { timer } = this.state.room;
    const left = timer ? Date.parse(timer.ends) / 1000 - this.now() : 0;
    byId("timer").hidden = left <= 0;
    if (left > 0) byId("timer").querySelector(".timer-text").textContent = `${clock(left)} ${timer.label}`;
  }

  // Polls

  fillQuestions() {
    const { questions } = this.lessonIn(byId("poll-dialog").querySelector("form"));
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

  pollFrame({ lesson, question }) {
    if (!question) throw new Error("This lesson has no questions.");
    const number = Number(question.value);
    return { type: "poll", action: "open", lesson: lesson.value, question: number, done: "The poll is open." };
  }
}
