// Bytes as a person writes and reads them: pairs of hex digits.

export function bytesOf(hex) {
  const digits = hex.replace(/[\s:]/g, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits)) {
    throw new Error("Bytes are pairs of hex digits, such as 00 ff.");
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function hexOf(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

export function textOf(hex) {
  return String.fromCharCode(...bytesOf(hex));
}

// How the recorder writes bytes down.
export function isBytes(value) {
  return typeof value?.bytes === "string" && Object.keys(value).length === 1;
}
