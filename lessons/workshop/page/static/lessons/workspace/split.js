// The dividers between the columns, and between the diagram and the tabs. The user drags them, or
// moves them with the arrow keys. A double click restores the original sizes.

import { byId } from "../common/dom.js";
import { store, stored } from "../common/storage.js";

const STEP = 2; // per cent for one press of an arrow key
const LEAST = 15; // per cent of the workspace that a part keeps
const KEYS = { ArrowLeft: -STEP, ArrowUp: -STEP, ArrowRight: STEP, ArrowDown: STEP };

class Divider {
  constructor(box) {
    const { property, within } = box.dataset;
    Object.assign(this, { box, property, whole: byId(within), key: `split-${within}` });
    this.isVertical = box.getAttribute("aria-orientation") === "vertical";
    this.part = byId(box.getAttribute("aria-controls"));
    box.onpointerdown = (event) => this.drag(event);
    box.onkeydown = (event) => this.keyPressed(event);
    box.ondblclick = () => this.restore();
    const known = Number.parseFloat(stored(this.key));
    if (known) this.resize(known);
    else this.announce();
  }

  // The size of the part that the divider controls, in per cent of the whole.
  get size() {
    const [part, whole] = [this.part, this.whole].map((one) => one.getBoundingClientRect());
    return this.isVertical ? (part.width / whole.width) * 100 : (part.height / whole.height) * 100;
  }

  drag(event) {
    event.preventDefault();
    this.box.focus();
    this.box.setPointerCapture(event.pointerId);
    this.box.onpointermove = ({ clientX, clientY }) => {
      const { left, width, bottom, height } = this.whole.getBoundingClientRect();
      this.resize(this.isVertical ? ((clientX - left) / width) * 100 : ((bottom - clientY) / height) * 100);
    };
    this.box.onlostpointercapture = () => (this.box.onpointermove = null);
  }

  keyPressed(event) {
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    this.resize(this.size + KEYS[event.key] * (this.isVertical ? 1 : -1)); // the tabs are below
  }

  resize(size) {
    const kept = Math.min(Math.max(size, LEAST), 100 - 2 * LEAST);
    this.whole.style.setProperty(this.property, `${kept}%`);
    store(this.key, String(kept));
    this.announce();
  }

  restore() {
    this.whole.style.removeProperty(this.property);
    store(this.key, "");
    this.announce();
  }

  announce() {
    this.box.setAttribute("aria-valuenow", Math.round(this.size));
  }
}

for (const id of ["columns-divider", "rows-divider"]) new Divider(byId(id));
