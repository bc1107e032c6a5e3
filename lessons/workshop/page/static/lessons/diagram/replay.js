// Plays recorded events again, at the user's speed.

const MAX_PAUSE = 2000; // milliseconds: a longer one is cut
const STEADY_PAUSE = 700; // milliseconds between two events, if the speed is "steady"
const FRAME = 16; // milliseconds: events that are closer appear together

// The milliseconds before the entry at `index` appears. `speed` is a number such as 0.1, or "steady".
export function pauseBefore(entries, index, speed) {
  if (!index) return 0;
  if (speed === "steady") return STEADY_PAUSE;
  const gap = entries[index].time - entries[index - 1].time;
  return Math.min((gap * 1000) / Number(speed), MAX_PAUSE);
}

export class Replay {
  // `playback` has `entries`, `position`, `speed` and seek(position). Calls `onEnd` at the end, too.
  constructor(playback, onEnd) {
    Object.assign(this, { playback, onEnd, timer: 0 });
  }

  start() {
    const { entries, position } = this.playback;
    this.playback.seek(position < entries.length ? position : 0);
    this.schedule();
  }

  schedule() {
    const { entries, position, speed } = this.playback;
    if (position >= entries.length) return this.stop(null);
    let next = position + 1;
    for (let together = 0; next < entries.length; next += 1) {
      together += pauseBefore(entries, next, speed);
      if (together >= FRAME) break;
    }
    this.timer = setTimeout(() => {
      this.playback.seek(next);
      this.schedule();
    }, pauseBefore(entries, position, speed));
  }

  // Ends at `position`; null shows all events, and later ones.
  stop(position = this.playback.position) {
    this.playback.seek(position);
    this.cancel();
  }

  // Ends where it is.
  cancel() {
    clearTimeout(this.timer);
    this.onEnd();
  }
}
