// Says on each page that the workshop's server has ended, and stops saying so when it is back. The
// same socket says when the workshop joins or leaves a class: then the bar of the class is loaded.

import { byId } from "./dom.js";
import { ReconnectingSocket, socketUrl } from "./server.js";

const PATIENCE = 2000; // milliseconds; a restart after a change of code is often shorter

let timer = null;
let wasInClass = null; // null before the first news

function setOnline(isOnline) {
  if (!isOnline) {
    timer ??= setTimeout(() => show(true), PATIENCE);
    return;
  }
  clearTimeout(timer);
  timer = null;
  show(false);
}

function show(isOffline) {
  if (byId("offline").hidden !== isOffline) return;
  byId("offline").hidden = !isOffline;
  if (isOffline) dispatchEvent(new Event("workshop-lost"));
}

async function setClass({ class: isInClass }) {
  if (isInClass) await import("../class/class_bar.js");
  if (isInClass !== wasInClass) dispatchEvent(new CustomEvent("class-changed", { detail: isInClass }));
  wasInClass = isInClass;
}

const socket = new ReconnectingSocket(socketUrl(location.host, "/ws/feed/alive/"), setClass, setOnline);
socket.ready().catch(() => {});
