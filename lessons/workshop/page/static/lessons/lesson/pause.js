// The pauses of Play between recorded events.

const MAX_PAUSE = 2000; // milliseconds: a longer one is cut
const STEADY_PAUSE = 700; // milliseconds between two events, if the speed is "steady"

// The milliseconds before the entry at `index` appears. `speed` is a number such as 0.1, or "steady".
export function pauseBefore(entries, index, chosen) {
  if (!index) return 0;
  if (chosen === "steady") return STEADY_PAUSE;
  return Math.min(((entries[index].time - entries[index - 1].time) * 1000) / Number(chosen), MAX_PAUSE);
}
