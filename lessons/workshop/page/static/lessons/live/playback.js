// The controls of the diagram: play, pause, position, single steps, zoom.

import { retryImport } from "../common/server.js";

const ZOOMS = [0.8, 1, 1.25, 1.6];

export class Playback {
  constructor(bar, diagram) {
    Object.assign(this, { diagram, zoom: 1 });
    this.onChange = () => this.schedule();
    for (const control of bar.querySelectorAll("[name]")) this[control.name] = control;
    this.count = bar.querySelector(".count");
    this.play.onclick = () => this.playOrStop();
    this.pause.onclick = () => this.pauseOrContinue();
    this.scrub.oninput = () => this.move(this.scrub.valueAsNumber);
    this.back.onclick = () => this.move(Math.max(0, this.position - 1));
    this.next.onclick = () => this.move(Math.min(this.length, this.position + 1));
    this.out.onclick = () => this.zoomBy(-1);
    this.in.onclick = () => this.zoomBy(1);
  }

  // Controls a transcript that the diagram shows.
  show(transcript) {
    this.replay?.cancel();
    this.transcript?.removeEventListener("change", this.onChange);
    this.transcript = transcript;
    transcript.addEventListener("change", this.onChange);
    this.draw();
  }

  get entries() {
    return this.transcript.entries;
  }

  get length() {
    return this.entries.length;
  }

  get speed() {
    return this.speeds.value;
  }

  get position() {
    return this.diagram.position ?? this.length;
  }

  seek(position) {
    this.diagram.seek(position);
    this.draw();
  }

  move(position) {
    this.replay?.stop();
    this.seek(position);
  }

  pauseOrContinue() {
    if (this.replay) this.replay.stop();
    else this.seek(this.diagram.position === null ? this.length : null);
  }

  // Plays the recorded events again, from the position, or from the start if all are shown.
  async playOrStop() {
    if (this.replay) return this.replay.stop();
    const { Replay } = await retryImport((query) => import(`../diagram/replay.js${query}`));
    if (this.replay) return undefined; // a second click while the module was loaded
    this.setReplay(new Replay(this, () => this.setReplay(null)));
    return this.replay.start();
  }

  setReplay(replay) {
    this.replay = replay;
    this.play.textContent = replay ? "Stop" : "Play";
    this.play.setAttribute("aria-pressed", Boolean(replay));
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
    this.scrub.disabled = this.play.disabled = !length;
    this.back.disabled = !position;
    this.next.disabled = position >= length;
    this.out.disabled = this.zoom === 0;
    this.in.disabled = this.zoom === ZOOMS.length - 1;
    this.count.textContent = position < length ? `${position} of ${length}` : `${length} in all`;
  }
}
