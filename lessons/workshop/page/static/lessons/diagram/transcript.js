// The page's store of recorded events. The diagram and the table are two views of it.

const MAX_ENTRIES = 5000;
const LANES = new Set(["client", "consumer", "layer", "database"]);
const DIRECTIONS = new Set(["in", "out", "mark"]);

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
    this.lost = 0;
    this.begun = Infinity; // the time of the first entry, even if it was trimmed since
    this.notify(0);
  }

  // Adds events in the recorder's order. The recorder has already sent or dropped every event of
  // their connection up to number `recorded`. `client` and `server` are names for the lanes. An event
  // that comes again replaces itself: now it has the state that followed it.
  add({ recorded = 0, events }, { client = "", server = "" } = {}) {
    let from = this.entries.length;
    for (const event of events) {
      const of = this.connection(event, client, server);
      if (event.seq <= of.known) {
        from = Math.min(from, this.replaceEvent(of, event));
        continue;
      }
      from = Math.min(from, this.addGap(event.seq - of.known - 1, of, event.time));
      from = Math.min(from, this.insert({ time: event.time, of, event }));
      of.known = event.seq;
    }
    const last = events.length && this.connections.get(events.at(-1).connection);
    if (last) {
      from = Math.min(from, this.addGap(recorded - last.known, last, events.at(-1).time));
      last.known = Math.max(recorded, last.known);
    }
    this.notify(from, this.trim());
  }

  replaceEvent(of, event) {
    const index = this.entries.findLastIndex((entry) => entry.of === of && entry.event?.seq === event.seq);
    if (index < 0) return Infinity;
    this.entries[index].event = event;
    return index;
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
    if (count <= 0) return Infinity;
    this.lost += count;
    return this.insert({ time, of, count });
  }

  // Keeps the order of time, because another connection's later events may have arrived first. All
  // times come from one machine, so they can be compared.
  insert(entry) {
    const index = this.entries.findLastIndex(({ time }) => time <= entry.time) + 1;
    this.entries.splice(index, 0, entry);
    this.begun = Math.min(this.begun, entry.time);
    return index;
  }

  trim() {
    const oldest = this.entries.splice(0, Math.max(0, this.entries.length - MAX_ENTRIES));
    this.lost += oldest.filter(({ event }) => event).length; // `lost` already includes the gaps
    return oldest.length;
  }

  // `trimmed` entries were removed from the front; entries from `from` on may have changed.
  notify(from, trimmed = 0) {
    const detail = { from: Math.max(0, from - trimmed), trimmed };
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }

  // Replaces the entries with those of another transcript. Later events are added as usual.
  replaceWith({ connections, entries, lost }) {
    for (const [name, of] of connections) {
      const { ordinal = this.connections.size + 1, known = 0 } = this.connections.get(name) ?? {};
      this.connections.set(name, Object.assign(of, { ordinal, known: Math.max(known, of.known) }));
    }
    Object.assign(this, { entries, lost, begun: entries[0]?.time ?? Infinity });
    this.notify(0);
  }

  // The id of an entry in the page's address. It stays the same as long as the page or file exists.
  static idOf({ of, event }) {
    return event ? `${of.ordinal}.${event.seq}` : "";
  }

  indexOf(id) {
    return this.entries.findIndex((entry) => entry.event && Transcript.idOf(entry) === id);
  }

  toJSON() {
    const connections = [...this.connections.values()].map(({ ordinal, known, ...rest }) => {
      return { ...rest, recorded: known };
    });
    const events = this.entries.flatMap(({ event }) => event ?? []);
    return { version: 1, connections, events };
  }

  // Throws an Error if toJSON did not write `json`.
  static from(json) {
    const { connections, events } = json ?? {};
    const isComplete = [connections, events].every(Array.isArray) && events.every(isEvent);
    if (!isComplete) throw new Error("This is not a transcript.");
    const made = new Transcript();
    const recorded = new Map(connections.map((one) => [one.connection, one.recorded]));
    for (const { connection, client, server, begun } of connections) {
      made.connection({ connection, time: begun }, String(client ?? ""), String(server ?? ""));
    }
    for (const connection of new Set(events.map((event) => event.connection))) {
      const own = events.filter((event) => event.connection === connection);
      made.add({ recorded: recorded.get(connection) || 0, events: own });
    }
    return made;
  }
}

// Whether all that the views read of an event has the right type. A file may hold anything.
function isEvent(event) {
  const { seq, time, lane, direction, connection, message, state, ...texts } = event ?? {};
  const isPlaced = LANES.has(lane) && DIRECTIONS.has(direction) && typeof connection === "string";
  const isTimed = Number.isInteger(seq) && Number.isFinite(time);
  const { text = "", literal, handler, thread } = texts;
  const isShown = typeof text === "string" && [literal, handler, thread].every(isTextOrNothing);
  return isPlaced && isTimed && isShown && isMessage(message) && isState(state);
}

function isTextOrNothing(value) {
  return typeof (value ?? "") === "string";
}

function isMessage(message) {
  if (!(message instanceof Object) || message.type instanceof Object) return false;
  return message.type !== "query" || typeof message.sql === "string";
}

function isState(state) {
  return state == null || (state instanceof Object && Object.values(state).every(isTextOrNothing));
}
