// The steps of a conversation in words. A step is {client, action, arguments}, as the server writes it.

const MAX_TEXT = 40; // characters of a frame
// What is saved before the first client comes is counted, not listed.
const FIXTURES = new Set(["row", "load"]);
const SETUP = new Set(["seed", "keys"]); // how the conversation is played, not what happens

export function quoted(text) {
  const line = String(text).replaceAll("\n", "↵");
  return `“${line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT - 1)}…` : line}”`;
}

const plainJson = (value) => JSON.stringify(value).replaceAll(",", ", ");

// What a client does.
const CLIENT = {
  connect: ({ as, query, path, subprotocols, origin }) =>
    ["connects", as && `as ${as}`, path && `to ${path}`, query && `with ?${query}`, subprotocols && `and offers ${subprotocols.join(", ")}`, origin && `from ${origin}`],
  text: ({ text }) => [text === "" ? "sends an empty text" : `sends ${quoted(text)}`],
  bytes: ({ hex }) => [hex ? `sends the bytes ${hex.length > MAX_TEXT ? `${hex.slice(0, MAX_TEXT)}…` : hex}` : "sends an empty binary frame"],
  close: ({ code }) => [code ? `closes with ${code}` : "closes"],
  vanish: () => ["loses the connection"],
  GET: ({ path }) => ["requests", path ?? "the page"],
  POST: ({ path, pieces = [] }) => ["posts", pieces.map(quoted).join(", then "), path && `to ${path}`],
  piece: ({ piece }) => [`posts ${quoted(piece)}`],
};

// What happens to the consumer of a client.
const CONSUMER = {
  layer: ({ message }) => `gets ${message.type} from the layer`,
  crash: () => "raises an exception",
  kill: () => "is cancelled by the server",
};

// What happens elsewhere.
const OUTSIDE = {
  wait: ({ seconds }) => `${seconds} s pass`,
  row: ({ model, fields }) => `a row of ${model} is saved: ${plainJson(fields)}`,
  load: () => "rows are loaded",
  delete: ({ model }) => `a row of ${model} is deleted`,
  rows: ({ model }) => `the rows of ${model} are read`,
  begin: () => "a transaction begins",
  commit: () => "the transaction is committed",
  rollback: () => "the transaction is rolled back",
  database: () => "the database restarts",
  account: ({ user, fields }) => `the account of ${user} gets ${plainJson(fields)}`,
  session: ({ user, fields }) => `the session of ${user} gets ${plainJson(fields)}`,
  logout: ({ user }) => `${user} logs out`,
  issue: ({ name }) => `${name} gets a ticket`,
  send: ({ name, message }) => `another process sends ${message.type} to ${name}`,
  group: ({ name, message }) => `another process sends ${message.type} to the group ${name}`,
  join: ({ group, name }) => `another process adds ${name} to the group ${group}`,
  take: ({ name }) => `another process receives from ${name}`,
  fill: ({ name }) => `other processes fill the channel ${name}`,
  call: ({ name, arguments: values }) => `another process calls ${name}(${values.map(plainJson).join(", ")})`,
  redis: ({ state }) => (state === "back" ? "Redis is back" : `Redis is lost${state === "gone" ? "" : ` for ${state.replace(" gone", "")}`}`),
  worker: ({ channels }) => `a worker starts for ${channels.join(", ")}`,
  "kill-workers": () => "all workers are killed",
  capacity: ({ messages }) => `a channel holds ${messages} message${messages === 1 ? "" : "s"}`,
  try: ({ name }) => `your tests play ${name}`,
};

// One step: `client 2 sends “milk”`. A step without words keeps its own text.
function inWords({ client, action, arguments: values = {}, step, together, point }, isAlone, isSame) {
  const who = isAlone ? "the client" : `client ${client ?? 1}`;
  const when = together ? "at the same time " : point === null || point === undefined ? "" : "while another is served, ";
  if (action in OUTSIDE) return when + OUTSIDE[action](values);
  if (action in CONSUMER) return `${when}the consumer${isAlone ? "" : ` of ${who}`} ${CONSUMER[action](values)}`;
  if (action in CLIENT) return when + [isSame && !when ? "" : who, ...CLIENT[action](values)].filter(Boolean).join(" ");
  return step ?? action;
}

// All steps: `4 rows are saved, client 1 connects, sends “hello”, client 2 connects`.
export function stepsInWords(steps) {
  const told = steps.filter(({ action }) => !SETUP.has(action));
  const start = told.findIndex(({ action }) => !FIXTURES.has(action));
  const shown = told.slice(start < 0 ? told.length : start);
  const count = told.length - shown.length;
  const isAlone = shown.every(({ client }) => (client ?? 1) === 1);
  const words = shown.map((step, index) => {
    const before = shown[index - 1];
    return inWords(step, isAlone, before && before.client === step.client && before.action in CLIENT);
  });
  return [...(count ? [`${count} row${count === 1 ? " is" : "s are"} saved`] : []), ...words].join(", ");
}
