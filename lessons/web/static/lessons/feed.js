// The recorder's feed: JSON texts of events, made by the server for this page alone.

import { Lasting, socketUrl } from "./lasting.js";

export class Feed {
  constructor(path, host, { onBatch }) {
    this.socket = new Lasting(socketUrl(host, path), onBatch);
  }

  // Resolves once the feed is open: what is opened after that is seen from its first event on.
  ready() {
    return this.socket.ready();
  }
}
