// What each page of a workshop does: it says that the server has ended, and shows the class.

import { effect } from "../vendor/preact.js";
import { byId } from "./dom.js";
import "./class_bar.js";
import { isOnline, onNews, schoolClass } from "./socket.js";

effect(() => (byId("offline").hidden = isOnline.value));

// On the first page: the server sends a new list of lessons when a verdict changes a state.
onNews(({ list: made }) => {
  const list = byId("lessons");
  if (!made || !list) return;
  const focused = list.contains(document.activeElement) && document.activeElement.pathname;
  list.outerHTML = made;
  const links = [...byId("lessons").querySelectorAll("a")];
  links.findLast(({ pathname }) => pathname === focused)?.focus({ preventScroll: true });
});

// On the first page: the form to join a class, after the workshop has joined or left elsewhere.
let wasInClass = null;
effect(() => {
  const isInClass = schoolClass.value !== null;
  if (wasInClass !== null && wasInClass !== isInClass && byId("class")) replaceForm(isInClass);
  wasInClass = isInClass;
});

async function replaceForm(isInClass) {
  const { url, inClass } = byId("class").dataset;
  if ((inClass === "yes") === isInClass) return;
  const answer = await fetch(url, { headers: { "X-Part": "class" }, cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  const made = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
  // The news may be older than the page. Then the form stays, with what is typed in it.
  if (made.dataset.inClass !== byId("class").dataset.inClass) byId("class").replaceWith(made);
}
