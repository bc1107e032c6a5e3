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
    const told = "The browser is told 1006, without a reason.";
    if (this.status === 403) return `Refused with HTTP 403. ${told}`;
    if (this.status === 500) return `HTTP 500, the consumer raised an exception. ${told}`;
    return `Not opened. ${told}`;
  }
}
