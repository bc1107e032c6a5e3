// The controls of the diagram: pause, position, single steps, zoom.

const ZOOMS = [0.8, 1, 1.25, 1.6];

export class Playback {
  constructor(bar, diagram) {
    Object.assign(this, { diagram, zoom: 1 });
    this.onChange = () => this.schedule();
    for (const control of bar.querySelectorAll("[name]")) this[control.name] = control;
    this.count = bar.querySelector(".count");
    this.pause.onclick = () => this.seek(this.diagram.position === null ? this.length : null);
    this.scrub.oninput = () => this.seek(this.scrub.valueAsNumber);
    this.back.onclick = () => this.seek(Math.max(0, this.position - 1));
    this.next.onclick = () => this.seek(Math.min(this.length, this.position + 1));
    this.out.onclick = () => this.zoomBy(-1);
    this.in.onclick = () => this.zoomBy(1);
  }

  // Controls a transcript that the diagram shows.
  show(transcript) {
    this.transcript?.removeEventListener("change", this.onChange);
    this.transcript = transcript;
    transcript.addEventListener("change", this.onChange);
    this.draw();
  }

  get length() {
    return this.transcript.entries.length;
  }

  get position() {
    return this.diagram.position ?? this.length;
  }

  seek(position) {
    this.diagram.seek(position);
    this.draw();
  }

  zoomBy(steps) {
    this.zoom = Math.min(Math.max(this.zoom + steps, 0), ZOOMS.length - 1);
    this.diagram.zoomTo(ZOOMS[this.zoom]);
    this.draw();
  }

  schedule() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = null;
    const { length, position } = this;
    this.pause.setAttribute("aria-pressed", this.diagram.position !== null);
    this.scrub.max = length;
    this.scrub.valueAsNumber = position;
    this.scrub.disabled = !length;
    this.back.disabled = !position;
    this.next.disabled = position >= length;
    this.out.disabled = this.zoom === 0;
    this.in.disabled = this.zoom === ZOOMS.length - 1;
    this.count.textContent = position < length ? `${position} of ${length}` : `${length} in all`;
  }
}
