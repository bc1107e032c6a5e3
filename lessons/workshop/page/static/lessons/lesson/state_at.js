// What the recorded events say about the state after one of them: attributes and groups.

const ENDS = new Set(["finished", "raised", "cancelled"]);
const OF_A_MISTAKE = ".diagnosis"; // an attribute of its class, which is for the course alone

// Returns {attributes, groups} after the entry `last` of `entries`:
//   attributes  [{name, text, isNew}] of the entry's consumer; isNew: changed after this event
//   groups      [{group, members: [{of, hasEnded}]}], with the members that are on this page
export function stateAt(entries, last) {
  const attributes = new Map();
  const groups = new Map(); // group → channel → connection
  const ended = new Set();
  let changed = {};
  for (const { of, event } of entries.slice(0, entries.indexOf(last) + 1)) {
    if (!event) continue;
    if (of === last.of) {
      changed = event.state ?? {};
      for (const [name, text] of Object.entries(changed)) {
        if (text === null) attributes.delete(name);
        else if (!name.endsWith(OF_A_MISTAKE)) attributes.set(name, text);
      }
    }
    const { type, group, channel } = event.message;
    if (event.lane === "layer" && type === "group_add") {
      if (!groups.has(group)) groups.set(group, new Map());
      groups.get(group).set(channel, of);
    }
    if (event.lane === "layer" && type === "group_discard") groups.get(group)?.delete(channel);
    if (event.lane === "consumer" && ENDS.has(type)) ended.add(of);
  }
  return {
    attributes: [...attributes].map(([name, text]) => ({ name, text, isNew: name in changed })),
    groups: [...groups].filter(([, members]) => members.size).map(([group, members]) => (
      { group, members: [...members.values()].map((of) => ({ of, hasEnded: ended.has(of) })) })),
  };
}
