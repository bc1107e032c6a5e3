// Says on each page that the workshop's server has ended, and stops saying so when it is back.

import { byId } from "./dom.js";
import { ReconnectingSocket, socketUrl } from "./server.js";

const PATIENCE = 2000; // milliseconds; a restart after a change of code is often shorter

let timer = null;

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

const socket = new ReconnectingSocket(socketUrl(location.host, "/ws/feed/alive/"), () => {}, setOnline);
socket.ready().catch(() => {});
