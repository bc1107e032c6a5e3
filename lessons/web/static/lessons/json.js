// Where a text stops being JSON. Browsers say so too, but each in its own words, and not always where.

const SPACE = /[ \t\n\r]*/y;
const ATOM = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;

export class NotJson extends Error {
  constructor(text, index) {
    const found = index < text.length ? `“${text[index]}” at character ${index + 1}` : "its end";
    super(`Not JSON: wrong from ${found} on.`);
    this.index = index;
  }
}

// Throws NotJson with the index of the first character that cannot be there.
export function requireJson(text) {
  let at = 0;
  const skip = (pattern) => {
    pattern.lastIndex = at;
    const isThere = pattern.test(text);
    if (isThere) at = pattern.lastIndex;
    return isThere;
  };
  const take = (sign) => {
    skip(SPACE);
    const isThere = text[at] === sign;
    if (isThere) at += 1;
    return isThere;
  };
  const fail = () => {
    throw new NotJson(text, at);
  };
  const items = (end, item) => {
    if (take(end)) return;
    do item();
    while (take(","));
    if (!take(end)) fail();
  };
  const member = () => {
    skip(SPACE);
    if (!skip(STRING) || !take(":")) fail();
    value();
  };
  const value = () => {
    if (take("{")) items("}", member);
    else if (take("[")) items("]", value);
    else if (!skip(STRING) && !skip(ATOM)) fail();
  };
  value();
  skip(SPACE);
  if (at < text.length) fail();
}
