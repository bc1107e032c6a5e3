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
    if (this.status === 403) return "Refused: HTTP 403. Told: 1006.";
    if (this.status === 500) return "Exception: HTTP 500. Told: 1006.";
    // The page's feed belongs to a session, which a login or a logout replaces.
    return "Not opened, and nothing recorded. Since a login or logout? Load this page anew.";
  }
}
