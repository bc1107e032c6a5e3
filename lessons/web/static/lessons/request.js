// One HTTP request of the lesson's, and what the browser is told of its response, part by part.

export class Request {
  constructor({ watched, note, onHeard, onSeen, onState }) {
    Object.assign(this, { watched, note, onHeard, onSeen, onState, controller: null });
  }

  // Throws what the browser throws, for a malformed path.
  async send(method, path, body) {
    if (!path.startsWith("/")) throw new Error("A path begins with a slash.");
    this.controller?.abort();
    const controller = new AbortController();
    this.controller = controller;
    const say = (state, text) => controller === this.controller && this.onState(state, text);
    const { signal } = controller;
    say("connecting", "Waiting for the response…");
    try {
      const options = { method, signal, cache: "no-store", ...(method === "POST" && { body }) };
      this.note(method === "POST" ? `POST ${JSON.stringify(body)}` : method);
      const place = `${this.watched.path}/client=${this.watched.number}${path}`;
      const response = await fetch(place, options);
      this.onSeen("response", `${response.status} ${response.headers.get("content-type") ?? ""}`);
      say("open", `HTTP ${response.status}, the body is coming.`);
      await this.read(response.body.getReader());
      this.onSeen("end", "");
      say("closed", `HTTP ${response.status}, complete.`);
    } catch (error) {
      this.onSeen("error", error.name);
      say("closed", signal.aborted ? "You have left." : "The connection was lost.");
    }
    if (controller === this.controller) this.controller = null;
  }

  async read(reader) {
    const decoder = new TextDecoder();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      this.onHeard();
      this.onSeen("part", JSON.stringify(decoder.decode(part.value, { stream: true })));
    }
  }

  leave() {
    if (!this.controller) throw new Error("There is nothing to leave. Send a request first.");
    this.note("close");
    this.controller.abort();
  }
}
