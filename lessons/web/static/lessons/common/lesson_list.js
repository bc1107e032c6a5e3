// The list of lessons: a verdict changes it while it is open.

import { ReconnectingSocket, socketUrl } from "./server.js";

const list = () => document.getElementById("lessons");

async function take({ mark }) {
  if (mark === list().dataset.mark) return;
  const answer = await fetch(location.pathname, { cache: "no-store" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = list().contains(document.activeElement) && document.activeElement.pathname;
  list().replaceWith(page.getElementById("lessons"));
  const links = [...list().querySelectorAll("a")];
  links.findLast(({ pathname }) => pathname === focused)?.focus({ preventScroll: true });
}

const url = socketUrl(location.host, list().dataset.socket);
new ReconnectingSocket(url, (standing) => take(standing).catch(() => {})).ready().catch(() => {});
