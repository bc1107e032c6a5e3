// The controls of a diagram: pause, scrub, step, zoom.

const ZOOMS = [0.8, 1, 1.25, 1.6];

export class Playback {
  constructor(bar, diagram, transcript) {
    Object.assign(this, { diagram, transcript, zoom: 1 });
    const named = (name) => bar.querySelector(`[name=${name}]`);
    this.pause = named("pause");
    this.scrub = named("scrub");
    this.count = bar.querySelector(".count");
    this.back = named("back");
    this.next = named("next");
    this.out = named("out");
    this.in = named("in");
    this.pause.onclick = () => this.seek(this.isPaused ? null : this.length);
    this.scrub.oninput = () => this.seek(this.scrub.valueAsNumber);
    this.back.onclick = () => this.seek(Math.max(0, this.position - 1));
    this.next.onclick = () => this.seek(Math.min(this.length, this.position + 1));
    this.out.onclick = () => this.zoomBy(-1);
    this.in.onclick = () => this.zoomBy(1);
    transcript.addEventListener("change", () => this.tellSoon());
    this.tell();
  }

  get length() {
    return this.transcript.entries.length;
  }

  get isPaused() {
    return this.diagram.position !== null;
  }

  get position() {
    return this.diagram.position ?? this.length;
  }

  seek(position) {
    this.diagram.seek(position);
    this.tell();
  }

  zoomBy(steps) {
    this.zoom = Math.min(Math.max(this.zoom + steps, 0), ZOOMS.length - 1);
    this.diagram.zoomTo(ZOOMS[this.zoom]);
    this.tell();
  }

  tellSoon() {
    this.frame ??= requestAnimationFrame(() => this.tell());
  }

  tell() {
    this.frame = null;
    const { length, position } = this;
    this.pause.setAttribute("aria-pressed", this.isPaused);
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
