// One side of a comparison: a diagram, and the event that differs, or is chosen, in full.

import { Diagram } from "./diagram.js";
import { literal } from "./literal.js";
import { Transcript } from "./transcript.js";

export class Side {
  constructor(box, label) {
    this.part = box.parentElement.querySelector(".part");
    this.box = box;
    this.label = label;
  }

  // `differs` is null where this side has nothing in place of what the other one has.
  show(json, { differs }) {
    const transcript = Transcript.from(json);
    const index = differs === null ? transcript.entries.length : differs;
    this.differs = transcript.entries[index];
    this.diagram ??= new Diagram(this.box, {
      label: this.label,
      onSelect: (entry, isChosen) => this.tell(isChosen ? entry : this.differs),
    });
    this.diagram.show(transcript, { differs: differs === undefined ? null : index });
    this.tell(this.differs);
  }

  // The event that was chosen, else the one that differs.
  tell(entry) {
    this.part.textContent = entry?.event ? literal(entry.event.message) : "(nothing)";
  }
}
