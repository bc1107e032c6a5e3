"""Lesson 27: limits how often a client may do something."""

import asyncio
import math


class TokenBucket:
    """Holds up to `size` tokens, is full at first, and gets one more in each `seconds`.

    So a client may send `size` frames at once, and one in each `seconds` in the long run. The
    bucket needs no timer: it counts the new tokens when a frame asks for one.
    """

    def __init__(self, size, seconds):
        self.size, self.seconds = size, seconds
        # Not time.time(): if that clock is set back by an hour, no token comes for an hour.
        self.clock = asyncio.get_running_loop().time
        self.tokens, self.counted_at = size, self.clock()

    def take(self):
        """Take a token, and return 0. Without a token, return the whole seconds until the next."""
        now = self.clock()
        new_tokens = (now - self.counted_at) / self.seconds
        self.tokens, self.counted_at = min(self.size, self.tokens + new_tokens), now
        if self.tokens < 1:
            return math.ceil((1 - self.tokens) * self.seconds)
        self.tokens -= 1
        return 0
