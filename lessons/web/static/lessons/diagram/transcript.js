// The page's store of recorded events: the diagram and the table are two views of it.

const MOST = 5000; // entries kept
const LANES = new Set(["client", "consumer", "layer", "database"]);
const DIRECTIONS = new Set(["in", "out", "mark"]);

// An entry is an event, or a gap: `{count}` events of a connection that never came here. Every
// entry has `time` and `of`, its connection: {ordinal, connection, client, server, begun, known}.
export class Transcript extends EventTarget {
  constructor() {
    super();
    this.connections = new Map();
    this.clear();
  }

  // What is still to come of a connection goes on with its numbers.
  clear() {
    this.entries = [];
    this.lost = 0;
    this.tell(0);
  }

  // Events in the recorder's order; nothing of their connection up to number `recorded` is still to
  // come. `client` and `server` are names, for the lanes.
  add({ recorded = 0, events }, { client = "", server = "" } = {}) {
    let from = this.entries.length;
    for (const event of events) {
      const of = this.connection(event, client, server);
      from = Math.min(from, this.gap(event.seq - of.known - 1, of, event.time));
      from = Math.min(from, this.insert({ time: event.time, of, event }));
      of.known = event.seq;
    }
    const last = events.length && this.connections.get(events.at(-1).connection);
    if (last) {
      from = Math.min(from, this.gap(recorded - last.known, last, events.at(-1).time));
      last.known = Math.max(recorded, last.known);
    }
    this.tell(from, this.trim());
  }

  connection({ connection, time }, client, server) {
    const known = this.connections.get(connection);
    if (known) return known;
    const ordinal = this.connections.size + 1;
    const made = { ordinal, connection, client, server, begun: time, known: 0 };
    this.connections.set(connection, made);
    return made;
  }

  gap(count, of, time) {
    if (count <= 0) return Infinity;
    this.lost += count;
    return this.insert({ time, of, count });
  }

  // By time: another connection's batch may have come before this one. One machine has one clock.
  insert(entry) {
    let index = this.entries.length;
    while (index && this.entries[index - 1].time > entry.time) index -= 1;
    this.entries.splice(index, 0, entry);
    return index;
  }

  trim() {
    const oldest = this.entries.splice(0, Math.max(0, this.entries.length - MOST));
    this.lost += oldest.filter(({ event }) => event).length; // a gap's own are counted already
    return oldest.length;
  }

  // From entry `from` on, after `trimmed` were taken off the front, all may be new.
  tell(from, trimmed = 0) {
    const detail = { from: Math.max(0, from - trimmed), trimmed };
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }

  // Shows what another has in place of its own; what is still to come is its own again.
  become({ connections, entries, lost }) {
    for (const [name, of] of connections) {
      const { ordinal = this.connections.size + 1, known = 0 } = this.connections.get(name) ?? {};
      this.connections.set(name, Object.assign(of, { ordinal, known: Math.max(known, of.known) }));
    }
    Object.assign(this, { entries, lost });
    this.tell(0);
  }

  // What an address names an entry by; the same as long as the page, or the file, lives.
  static idOf({ of, event }) {
    return event ? `${of.ordinal}.${event.seq}` : "";
  }

  indexOf(id) {
    return this.entries.findIndex((entry) => entry.event && Transcript.idOf(entry) === id);
  }

  toJSON() {
    const connections = [...this.connections.values()].map(
      ({ connection, client, server, begun, known: recorded }) => ({
        ...{ connection, client, server, begun, recorded },
      }),
    );
    const events = this.entries.filter(({ event }) => event).map(({ event }) => event);
    return { version: 1, connections, events };
  }

  // Throws an Error for what toJSON did not make.
  static from(json) {
    const { connections, events } = json ?? {};
    const isWhole = [connections, events].every(Array.isArray) && events.every(isEvent);
    if (!isWhole) throw new Error("This is not a transcript.");
    const made = new Transcript();
    for (const { connection, client, server, begun } of connections) {
      made.connection({ connection, time: begun }, String(client ?? ""), String(server ?? ""));
    }
    const last = new Map(events.map((event) => [event.connection, event]));
    const recorded = new Map(connections.map((one) => [one.connection, one.recorded]));
    for (const event of events) {
      const isLast = last.get(event.connection) === event;
      made.add({ recorded: (isLast && recorded.get(event.connection)) || 0, events: [event] });
    }
    return made;
  }
}

function isEvent(event) {
  const { seq, time, lane, direction, message, connection } = event ?? {};
  const isPlaced = LANES.has(lane) && DIRECTIONS.has(direction) && typeof connection === "string";
  return isPlaced && Number.isInteger(seq) && Number.isFinite(time) && message instanceof Object;
}
