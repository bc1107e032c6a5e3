// The dialogs of the board. Each is the form of an action, which the server has rendered; a dialog
// closes if the room accepts it.

import { byId } from "../lessons/common/dom.js";
import { shownName } from "./names.js";
import { currentLesson } from "./room_state.js";
import { page, room, send, tell } from "./store.js";

let loading = null; // what the dialog offers of its lesson, on the way

export function open(name, student = "") {
  const dialog = byId(`dialog-${name}`);
  const form = dialog.querySelector("form");
  if (name !== "today") form.reset(); // the plan is what the instructor has chosen last
  say(form, "");
  const { student: to, lesson } = form.elements;
  if (to) {
    to.length = 1; // what stands for no student
    to.append(...room.value.students.map((row) => new Option(shownName(row), row.id)));
    to.value = student;
  }
  if (lesson) {
    lesson.value = currentLesson(room.value) ?? lesson.value;
    offer(dialog, form);
    lesson.onchange = () => offer(dialog, form);
  }
  form.onsubmit = (event) => submit(event, dialog, form);
  dialog.showModal();
  if (student) form.elements.text.focus();
}

function say(form, text) {
  form.querySelector(".error").textContent = text;
}

// What the course has for the lesson that is chosen: mistakes and conversations, or questions.
function offer(dialog, form) {
  const box = form.querySelector(".choices");
  box.replaceChildren();
  const url = `${page.course.replace("/none/", `/${form.elements.lesson.value}/`)}?dialog=${dialog.id}`;
  const mine = (loading = fetch(url).then((answer) => answer.text()).then((choices) => {
    if (mine === loading) box.innerHTML = choices;
  }, ({ message }) => say(form, message)));
}

let isSending = false; // until the room answers, neither a click nor Enter sends it again

async function submit(event, dialog, form) {
  const button = event.submitter;
  if (button.formMethod === "dialog") return; // Cancel
  event.preventDefault();
  if (isSending) return;
  isSending = true;
  try {
    await loading;
    await send(new FormData(form, button));
    tell(form.dataset.done);
    dialog.close();
  } catch ({ message }) {
    say(form, message);
  }
  isSending = false;
}
