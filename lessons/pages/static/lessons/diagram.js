// A transcript as a sequence diagram.

export class Diagram {
  // `onSelect(entry)` is called with what the diagram points at, null where that is nothing.
  constructor(box, { onSelect = () => {} } = {}) {
    Object.assign(this, { box, onSelect });
  }

  // From now on, and as it grows. `differs` is the index of the entry that is marked.
  show(transcript, { differs = null } = {}) {
    Object.assign(this, { transcript, differs });
  }
}
