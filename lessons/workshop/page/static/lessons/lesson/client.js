// What a client's fields mean, without the page.

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

export function hexFromBytes(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
