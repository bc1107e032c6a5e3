// What each page of a workshop does: it says that the server has ended, and shows the class.

import { effect } from "../vendor/preact.js";
import { byId } from "./dom.js";
import "./class_bar.js";
import { isOnline, onNews } from "./socket.js";

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
