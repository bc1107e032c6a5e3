// What each page of a workshop does: it says that the server has ended, and shows the class.

import { effect } from "../vendor/preact.js";
import { byId } from "./dom.js";
import "./class_bar.js";
import { isOnline } from "./socket.js";

effect(() => (byId("offline").hidden = isOnline.value));
