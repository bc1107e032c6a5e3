// The steps of a conversation in words. A step is {client, action, arguments}, as the server writes it.

const MAX_TEXT = 40; // characters of a frame
// Steps that prepare a conversation: they are counted, not listed.
const FIXTURES = { row: "row", user: "user", group: "group", load: "row", rows: "row" };

export function quoted(text) {
  const line = String(text).replaceAll("\n", "↵");
  return `“${line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT - 1)}…` : line}”`;
}

const WORDS = {
  connect: ({ as, query, path, subprotocols, origin }) =>
    ["connects", as && `as ${as}`, path && `to ${path}`, query && `with ?${query}`, subprotocols && `and offers ${subprotocols.join(", ")}`, origin && `from ${origin}`],
  text: ({ text }) => [text === "" ? "sends an empty text" : `sends ${quoted(text)}`],
  bytes: ({ hex }) => [hex ? `sends the bytes ${hex.length > MAX_TEXT ? `${hex.slice(0, MAX_TEXT)}…` : hex}` : "sends an empty binary frame"],
  close: ({ code }) => [code ? `closes with ${code}` : "closes"],
  vanish: () => ["loses the connection"],
  wait: ({ seconds }) => [`waits ${seconds} s`],
  GET: ({ path }) => ["requests", path],
  POST: ({ path, body }) => ["posts", body && quoted(body), path && `to ${path}`],
};

// One step: `client 2 sends “milk”`. A step that no client takes keeps its own text.
export function inWords({ client, action, arguments: values = {}, step }, isAlone = false) {
  if (!(action in WORDS)) return step ?? action;
  const who = action === "wait" ? "" : isAlone ? "the client" : `client ${client ?? 1}`;
  return [who, ...WORDS[action](values)].filter(Boolean).join(" ");
}

// All steps: `4 rows are saved, client 1 connects, client 1 sends “hello”`.
export function stepsInWords(steps) {
  const shown = steps.filter(({ action }) => !(action in FIXTURES));
  const counts = {};
  for (const { action } of steps) if (action in FIXTURES) counts[FIXTURES[action]] = (counts[FIXTURES[action]] ?? 0) + 1;
  const isAlone = shown.every(({ client }) => (client ?? 1) === 1);
  const fixtures = Object.entries(counts).map(([name, count]) => `${count} ${name}${count === 1 ? " is" : "s are"} saved`);
  const words = shown.map((step, index) => {
    const isSame = index > 0 && shown[index - 1].client === step.client && shown[index - 1].action in WORDS;
    const text = inWords(step, isAlone);
    return isSame ? text.replace(/^(the client|client \d+) /, "") : text;
  });
  return [...fixtures, ...words].join(", ");
}
