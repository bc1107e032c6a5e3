// The one socket of a page. The server sends objects: what the page's clients caused, the exercise, the
// class. It also shows whether the workshop runs.

import { signal } from "../vendor/preact.js";
import { ReconnectingSocket, socketUrl } from "./server.js";

const PATIENCE = 2000; // milliseconds; a restart after a change of code is often shorter

export const schoolClass = signal(null); // what the server knows of the class, or null without a class
export const isOnline = signal(true);

const takers = [];
let timer = null;

// Calls `take` with each object that the server sends.
export const onNews = (take) => takers.push(take);

function setOnline(isConnected) {
  clearTimeout(timer);
  if (isConnected) isOnline.value = true;
  else timer = setTimeout(() => (isOnline.value = false), PATIENCE);
}

function takeAll(message) {
  if ("class" in message) schoolClass.value = message.class;
  for (const take of takers) take(message);
}

const url = () => socketUrl(location.host, document.body.dataset.socket);
export const socket = new ReconnectingSocket(url, takeAll, setOnline);

// Sends an object. A page whose server has ended sends nothing.
export function tell(message) {
  socket.send(message).catch(() => {});
}

socket.ready().catch(() => {});
