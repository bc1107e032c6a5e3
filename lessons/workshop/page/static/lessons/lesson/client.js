// What a client's fields and its recorded events mean, without the page.

// Neither a page nor a consumer's process can lose a connection of the server. With this code, each
// says that it did.
export const LOST_CONNECTION = 4999;

// The arguments of the step "connect". They leave out what the server assumes: the lesson's own path
// `home`, and an anonymous user. A URL cannot contain a space, and in the text of a step a space ends
// the path.
export function handshakeOf({ path, subprotocols, account, origin }, home) {
  const [place, query] = path.replaceAll(" ", "%20").split(/\?(.*)/s, 2);
  return {
    ...(place !== home && { path: place }),
    ...(query !== undefined && { query }),
    ...(subprotocols.length && { subprotocols }),
    ...(account && account !== "anonymous" && { as: account }),
    ...(origin && { origin }),
  };
}

// Bytes from pairs of hex digits, which spaces or colons may separate.
export function bytesFromHex(hex) {
  const digits = hex.replace(/[\s:]/g, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits)) {
    throw new Error("Bytes are pairs of hex digits, such as 00 ff.");
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function hexFromBytes(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

const STATUSES = { "websocket.accept": 101, "websocket.close": 403, raised: 500 };

// The server's answer to a handshake. The browser hides it from a page, so the recording supplies it.
export class HandshakeStatus {
  reset() {
    this.connection = this.status = null;
  }

  // Call it with each event. The latest scope belongs to the new connection: that of the connection
  // before it may arrive after reset().
  update({ connection, message: { type } }) {
    if (type === "scope" && connection !== this.connection) Object.assign(this, { connection, status: null });
    if (connection !== this.connection) return;
    this.status ??= STATUSES[type];
  }

  text() {
    if (this.status === 403) return "Rejected with HTTP 403. The browser reports 1006.";
    if (this.status === 500) return "Exception: HTTP 500. The browser reports 1006.";
    // The feed belongs to a session, and a login or logout replaces the session.
    return "Not opened, and no event was recorded. If you just logged in or out, reload the page.";
  }
}
