// The list of lessons: the server sends a new one when a verdict changes a state.

import { ReconnectingSocket, socketUrl } from "../common/server.js";

const list = () => document.getElementById("lessons");

function url() {
  const { socket, version } = list().dataset;
  return socketUrl(location.host, `${socket}?version=${version}`);
}

function show({ panel }) {
  const focused = list().contains(document.activeElement) && document.activeElement.pathname;
  list().outerHTML = panel;
  const links = [...list().querySelectorAll("a")];
  links.findLast(({ pathname }) => pathname === focused)?.focus({ preventScroll: true });
}

new ReconnectingSocket(url, show).ready().catch(() => {});
