// The lines of a source to light for an event: the one that sent it, or the one that handles it.

// What stands in the line of code that causes an event of a type.
const CAUSES = {
  "websocket.accept": /websocket\.accept|\.accept\(/,
  "websocket.send": /websocket\.send|\.send(_json)?\(|text_data/,
  "websocket.close": /websocket\.close|\.close\(|DenyConnection/,
  "http.response.start": /http\.response\.start|send_headers|send_response/,
  "http.response.body": /http\.response\.body|send_body|send_response/,
  group_add: /group_add/,
  group_discard: /group_discard/,
  group_send: /group_send/,
  send: /\.send\(/,
  finished: /StopConsumer|return$/,
};

// Of `lines`, {number, method, text}, the numbers to light for `event`. Without a line that surely sent
// it, the whole handler is lit.
export function linesOf(event, lines) {
  const own = lines.filter(({ method }) => method && method === event?.handler);
  if (!own.length) return [];
  const numbers = (some) => some.map(({ number }) => number);
  const cause = event.direction === "in" ? /^\s*(async\s+)?def / : CAUSES[event.message.type];
  const found = cause ? own.filter(({ text }) => cause.test(text)) : [];
  if (found.length < 2) return numbers(found.length ? found : own);
  const { text } = event.message;
  const exact = typeof text === "string" && text ? found.filter((line) => line.text.includes(JSON.stringify(text))) : [];
  return numbers(exact.length === 1 ? exact : own);
}
