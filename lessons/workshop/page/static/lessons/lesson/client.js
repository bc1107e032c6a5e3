// What a client's fields mean, without the page.

// A page cannot lose a connection. With this code, it says that it did.
export const LOST_CONNECTION = 4999;

// The arguments of the step "connect". They leave out what the server assumes: the lesson's own path
// `home`, and an anonymous user. A URL cannot contain a space, and in the text of a step a space ends
// the path.
// `handshake` is what a client of the exercise sends beside: a host, an origin, a ticket instead of a cookie.
export function handshakeOf({ path, subprotocols, account, origin, server = 1, handshake = {} }, home) {
  const [place, query] = path.replaceAll(" ", "%20").split(/\?(.*)/s, 2);
  const { ticket, ...headers } = handshake;
  return {
    ...(place !== home && { path: place }),
    ...(query !== undefined && { query }),
    ...(subprotocols.length && { subprotocols }),
    ...(account && account !== "anonymous" && { [ticket ? "ticket" : "as"]: account }),
    ...headers,
    ...(origin && { origin }),
    ...(server > 1 && { server }),
  };
}

// The number in the field of a close code, or undefined. A browser accepts few.
export function closeCode(text) {
  const code = text.trim() ? Number(text) : undefined;
  if (code === LOST_CONNECTION) throw new Error(`This page uses ${LOST_CONNECTION} for a lost connection.`);
  if (code === undefined || code === 1000 || (code >= 3000 && code <= 4999)) return code;
  throw new Error("A browser may send no code, 1000, or a code from 3000 to 4999.");
}

export const closed = (code, reason) => ["closed", `Closed: the browser reports ${code}${reason ? `, “${reason}”` : ""}.`];
const refused = (what) => ["refused", `${what}. The browser reports 1006.`];

// What an event changes: (whether the connection is open, the message, the text before) → [state, text].
const CHANGES = {
  "websocket.accept": (_, { subprotocol }) => ["open", subprotocol ? `Open, subprotocol ${subprotocol}.` : "Open."],
  "websocket.close": (isOpen, { code, reason }) => (isOpen ? closed(code ?? 1000, reason) : refused("Rejected with HTTP 403")),
  "websocket.disconnect": (isOpen, { code }) => (isOpen && code !== 1006 ? closed(1000)
    : ["closed", isOpen ? "Lost, without a close frame." : "Not accepted: the browser reports 1006."]),
  "http.request": (isOpen) => (isOpen ? null : ["connecting", "Waiting for the response…"]),
  "http.response.start": (_, { status }) => ["open", `HTTP ${status}, the body is arriving.`],
  "http.response.body": (isOpen, { more_body: more }, text) => (isOpen && !more ? ["closed", text.replace("the body is arriving", "complete")] : null),
  "http.disconnect": () => ["closed", "You have left."],
  raised: (isOpen, _, text) => {
    if (text.startsWith("Waiting")) return ["closed", "HTTP 500, complete."];
    if (text.startsWith("HTTP")) return ["closed", "The connection was lost."];
    return isOpen ? closed(1011) : refused("Exception: HTTP 500");
  },
};

// What a client knows after the recorded events of its connection: [state, text].
export function stateAfter(events) {
  let seen = ["connecting", "Connecting…"];
  for (const { lane, message } of events) {
    const [state, text] = seen;
    const isOver = ["closed", "refused"].includes(state) || !["client", "consumer"].includes(lane);
    if (!isOver) seen = CHANGES[message.type]?.(state === "open", message, text) ?? seen;
  }
  return seen;
}

// Bytes from pairs of hex digits, which spaces or colons may separate.
export function bytesFromHex(hex) {
  const digits = hex.replace(/[\s:]/g, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits)) {
    throw new Error("Bytes are pairs of hex digits, such as 00 ff.");
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function hexFromBytes(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
