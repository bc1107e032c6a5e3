// The page's store of recorded events. The diagram is a view of it.

const MAX_ENTRIES = 1000; // all of them are drawn
const OUTSIDE = { ordinal: 0, connection: "", client: "", server: "" };

// An entry is an event, or a gap: `count` events of a connection that the page did not receive.
// Every entry has a `time` and `of`, its connection:
// {ordinal, connection, client, server, begun, known}. `known` is the number of its latest event.
export class Transcript extends EventTarget {
  constructor() {
    super();
    this.connections = new Map();
    this.clear();
  }

  // Removes all entries. Later events of the same connections continue their numbers.
  clear() {
    this.entries = [];
    this.begun = Infinity; // the time of the first entry, even if it was trimmed since
    this.notify();
  }

  // Adds events in the recorder's order. The recorder has already sent or dropped every event of
  // their connection up to number `recorded`. `client` and `server` are names for the lanes. An event
  // that comes again replaces itself: now it has the state that followed it.
  add({ recorded = 0, events }, { client = "", server = "" } = {}) {
    for (const event of events) {
      const of = this.connection(event, client, server);
      if (event.seq <= of.known) {
        const known = this.entries.findLast((entry) => entry.of === of && entry.event?.seq === event.seq);
        if (known) known.event = event;
        continue;
      }
      this.addGap(event.seq - of.known - 1, of, event.time);
      this.insert({ time: event.time, of, event });
      of.known = event.seq;
    }
    const last = events.length && this.connections.get(events.at(-1).connection);
    if (last) {
      this.addGap(recorded - last.known, last, events.at(-1).time);
      last.known = Math.max(recorded, last.known);
    }
    this.notify(this.trim());
  }

  connection({ connection, time }, client, server) {
    const known = this.connections.get(connection);
    if (known) return known;
    const ordinal = this.connections.size + 1;
    const made = { ordinal, connection, client, server, begun: time, known: 0 };
    this.connections.set(connection, made);
    return made;
  }

  addGap(count, of, time) {
    if (count > 0) this.insert({ time, of, count });
  }

  // Keeps the order of time, because another connection's later events may have arrived first. All
  // times come from one machine, so they can be compared.
  insert(entry) {
    const index = this.entries.findLastIndex(({ time }) => time <= entry.time) + 1;
    this.entries.splice(index, 0, entry);
    this.begun = Math.min(this.begun, entry.time);
  }

  trim() {
    return this.entries.splice(0, Math.max(0, this.entries.length - MAX_ENTRIES)).length;
  }

  // `trimmed` entries were removed from the front.
  notify(trimmed = 0) {
    this.dispatchEvent(new CustomEvent("change", { detail: { trimmed } }));
  }

  // The id of an entry. It stays the same as long as the page exists.
  static idOf({ of, event }) {
    return event ? `${of.ordinal}.${event.seq}` : "";
  }

  // From what the server has recorded, as recording_json() writes it. A mark, {time, text}, belongs to no
  // connection: it is what happens outside of the consumers.
  static from({ connections, events }, marks = []) {
    const made = new Transcript();
    for (const { connection, client, server, begun } of connections) {
      made.connection({ connection, time: begun }, String(client ?? ""), String(server ?? ""));
    }
    for (const { connection, recorded } of connections) {
      made.add({ recorded, events: events.filter((event) => event.connection === connection) });
    }
    for (const { time, text } of marks) made.insert({ time, of: OUTSIDE, text });
    return made;
  }

  // Becomes the other one. An event that both have, with the same text, stays the same entry: it may be
  // the chosen one, and it is drawn already.
  become({ connections, entries, begun }) {
    const keyOf = (entry) => `${Transcript.idOf(entry)} ${entry.event?.text}`;
    const known = new Map(this.entries.filter(({ event }) => event).map((entry) => [keyOf(entry), entry]));
    Object.assign(this, { connections, begun });
    this.entries = entries.map((entry) => Object.assign(known.get(keyOf(entry)) ?? {}, entry));
    this.notify();
  }
}
