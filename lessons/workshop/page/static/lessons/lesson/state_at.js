// What the recorded events say about the state after one of them: attributes, groups, queues.

const ENDS = new Set(["finished", "raised", "cancelled"]);
const OF_A_MISTAKE = ".diagnosis"; // an attribute of its class, which is for the course alone

// Returns {attributes, groups, queue} after the entry `last` of `entries`:
//   attributes  [{name, text, isNew}] of the entry's consumer; isNew: changed after this event
//   groups      Map: group → [{of, hasEnded}], the members that are on this page
//   queue       Map: connection → how many messages wait for it; only where at least one does
export function stateAt(entries, last) {
  const state = { attributes: new Map(), groups: new Map(), queue: new Map() };
  const channels = new Map(); // channel → connection
  const ended = new Set();
  let changed = {};
  for (const { of, event } of entries.slice(0, entries.indexOf(last) + 1)) {
    if (!event) continue;
    if (of === last.of) {
      changed = event.state ?? {};
      for (const [name, text] of Object.entries(changed)) if (!name.endsWith(OF_A_MISTAKE)) setOrDelete(state.attributes, name, text);
    }
    if (event.lane === "layer") followLayer(event, of, state, channels);
    if (event.lane === "consumer" && ENDS.has(event.message.type)) ended.add(of);
  }
  return {
    attributes: [...state.attributes].map(([name, text]) => ({ name, text, isNew: name in changed })),
    groups: membersOf(state.groups, channels, ended),
    queue: state.queue,
  };
}

function setOrDelete(attributes, name, text) {
  if (text === null) attributes.delete(name);
  else attributes.set(name, text);
}

function followLayer({ direction, message }, of, { groups, queue }, channels) {
  const { type, group, channel } = message;
  if (direction === "in") return addTo(queue, of, -1);
  if (type === "group_add") {
    if (!channels.has(channel)) channels.set(channel, of);
    if (!groups.has(group)) groups.set(group, new Set());
    groups.get(group).add(channel);
  } else if (type === "group_discard") {
    groups.get(group)?.delete(channel);
  } else if (type === "group_send") {
    for (const member of groups.get(group) ?? []) addTo(queue, channels.get(member), 1);
  } else if (type === "send" && channels.has(channel)) {
    addTo(queue, channels.get(channel), 1);
  }
}

// A message from outside the page was not seen when it was sent, so a count never goes below zero.
function addTo(queue, of, count) {
  const now = Math.max(0, (queue.get(of) ?? 0) + count);
  if (now) queue.set(of, now);
  else queue.delete(of);
}

function membersOf(groups, channels, ended) {
  const found = new Map();
  for (const [group, members] of groups) {
    const list = [...members].map((channel) => channels.get(channel));
    if (list.length) found.set(group, list.map((of) => ({ of, hasEnded: ended.has(of) })));
  }
  return found;
}
