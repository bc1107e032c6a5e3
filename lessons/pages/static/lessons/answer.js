// What the server answered to the handshake: the browser does not tell a page, the recorder does.

export class Answer {
  forget() {
    this.connection = null;
    this.status = null;
  }

  // Called with each event of the feed; the first scope after forget() is the connection's own.
  take({ connection, message: { type } }) {
    if (type === "scope") this.connection ??= connection;
    if (connection !== this.connection) return;
    if (type === "websocket.accept") this.status ??= 101;
    if (type === "websocket.close") this.status ??= 403;
    if (type === "raised") this.status ??= 500;
  }

  text() {
    const told = "Not opened: the browser is told 1006, and no reason.";
    if (this.status === 403) return `${told} The server refused with HTTP 403.`;
    if (this.status === 500) return `${told} The consumer raised an exception: HTTP 500.`;
    return told;
  }
}
