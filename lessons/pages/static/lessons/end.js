// A server at the other end: its recorder's feed, and this page's one client there.

import { Answer } from "./answer.js";
import { Feed } from "./feed.js";

export class End {
  // `name` is shown with what comes from there; empty where there is no other server. `make`
  // takes its listeners and makes the client, a Client or a Request.
  constructor(panel, { host, name }, { transcript, seen, onState }, make) {
    this.onState = onState;
    this.state = ["idle", "Not connected."];
    this.answer = new Answer();
    this.feed = new Feed(panel.dataset.feed, host, {
      onBatch: (batch) => {
        transcript.add(batch, { server: name });
        for (const event of batch.events) this.answer.take(event);
        if (this.state[0] === "refused") this.become("refused", this.answer.text());
      },
    });
    this.client = make({
      onSeen: (kind, text) => seen.add(kind, text, name),
      onState: (state, text) => this.become(state, state === "refused" ? this.answer.text() : text),
    });
  }

  become(state, text) {
    this.state = [state, text];
    this.onState(this);
  }
}
