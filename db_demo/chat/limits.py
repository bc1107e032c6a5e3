"""How much one connection may say, and how long it may say nothing."""

BURST = 20  # frames at once
PER_SECOND = 4  # frames in the long run
PATIENCE = 100  # frames above that, after which it is no accident
IDLE = 30 * 60  # seconds without a frame from the client


class Allowance:
    """Fills up with time, and each frame takes one; below zero a frame is refused."""

    def __init__(self, now: float):
        self.left, self.counted_at, self.heard_at = float(BURST), now, now

    def take(self, now: float) -> bool:
        """Whether the frame that came `now` is within the limit."""
        self.left = min(BURST, self.left + (now - self.counted_at) * PER_SECOND) - 1
        self.counted_at = self.heard_at = now
        return self.left >= 0

    @property
    def is_flooded(self) -> bool:
        return self.left < -PATIENCE

    def is_idle(self, now: float) -> bool:
        return now - self.heard_at > IDLE
