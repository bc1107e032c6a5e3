"""How much a client may do: one connection, and all connections of a user or an address."""

import time
from datetime import UTC, datetime

from django.db.models import F

from lessons.extras.models import Usage

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


def take(what: str, limit: int, seconds: int) -> bool:
    """Count one use in this period of `seconds`. Return whether it is one of the first `limit`.

    The count is in the database, because the connections may be on several servers.
    """
    now = time.time()
    end = (now // seconds + 1) * seconds  # the same moment on all servers
    row, is_new = Usage.objects.get_or_create(what=what, ends_at=datetime.fromtimestamp(end, UTC))
    if is_new:
        Usage.objects.filter(ends_at__lt=datetime.fromtimestamp(now, UTC)).delete()
    # One statement checks and writes, so that two clients cannot both take the last use.
    allowed = Usage.objects.filter(pk=row.pk, count__lt=limit)
    return allowed.update(count=F("count") + 1) == 1
