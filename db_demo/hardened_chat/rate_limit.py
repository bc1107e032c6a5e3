"""How many frames one connection may send, and how long it may be idle."""

BURST = 20  # frames that a client may send at once
FRAMES_PER_SECOND = 4  # in the long run
FLOOD_LIMIT = 100  # rejected frames until the server closes the connection
IDLE_TIMEOUT = 30 * 60  # seconds without a frame from the client


class RateLimit:
    """A token bucket. It fills with time, and each frame takes one token."""

    def __init__(self, now: float):
        self.tokens, self.last_frame_at = float(BURST), now

    def take(self, now: float) -> bool:
        """Take a token for a frame. Return whether the client may send it."""
        refill = (now - self.last_frame_at) * FRAMES_PER_SECOND
        self.tokens = min(BURST, self.tokens + refill) - 1
        self.last_frame_at = now
        return self.tokens >= 0

    @property
    def is_flooded(self) -> bool:
        return self.tokens < -FLOOD_LIMIT

    def is_idle(self, now: float) -> bool:
        return now - self.last_frame_at > IDLE_TIMEOUT
