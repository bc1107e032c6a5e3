// The socket of a board or a slide: each frame has the whole state of the class.

import { byId, setText } from "../lessons/common/dom.js";
import { ReconnectingSocket, socketUrl } from "../lessons/common/server.js";

// Calls `show` with each state. The element `connection` says whether the room is connected.
export function followClass(path, show) {
  let ended = "";
  const say = (state, text) => {
    byId("connection").dataset.state = state;
    setText(byId("connection"), text);
  };
  const take = (state) => {
    ended = state.ended ?? "";
    say(ended ? "ended" : "connected", ended || "connected");
    if (!ended) show(state);
  };
  const lose = (isConnected) => isConnected || say("waiting", ended || "connecting…");
  new ReconnectingSocket(socketUrl(location.host, path), take, lose).ready().catch(() => {});
}
