"""Limits how often a client may guess: codes of classes, and place codes of students.

The cache counts, as in lessons.extras.login_throttle, and only wrong guesses count. A class joins
from one address, so many right codes have no limit.
"""

import hashlib
import logging
import math
import time
from contextlib import suppress

from django.core.cache import cache

from lessons.extras.client_network import network_of

WINDOW = 60  # seconds
PER_ADDRESS = 30  # wrong guesses in a window; a class may share one address
IN_TOTAL = 600  # from all addresses: of 6 * 10**11 codes
PER_NAME = 10  # wrong place codes in a window for one name, from one address
OUTAGE_PAUSE = 20  # seconds

log = logging.getLogger(__name__)


class GuessRefused(Exception):
    """No code was checked. `wait` is in seconds, `status` that of the HTTP response."""

    status: int
    reason: str

    def __init__(self, wait: float):
        self.wait = math.ceil(wait)
        super().__init__(f"{self.reason} Try again in {self.wait} s.")


class TooManyGuesses(GuessRefused):
    status, reason = 429, "Too many wrong codes."


class CannotCountGuesses(GuessRefused):
    """The cache has failed. Without a limit, this is when codes could be guessed."""

    status, reason = 503, "The room cannot check codes now."


def count_guess(address: str, name: str) -> list[str]:
    """Count a guess before it is checked, and return its counters. Raises GuessRefused.

    A guess that one limit refuses does not count for the others.
    """
    window, elapsed = divmod(time.time(), WINDOW)
    network = network_of(address)
    # The address first: if it is refused, its guesses with random names do not fill the cache.
    limits = {(network,): PER_ADDRESS, (network, name): PER_NAME, (): IN_TOTAL}
    counters = []
    for values, limit in limits.items():
        if values[1:] == ("",):
            continue  # without a name no place code is checked
        counter = _key(window, values)
        try:
            cache.add(counter, 0, 2 * WINDOW)
            guesses = cache.incr(counter)
        except Exception as error:  # redis-py's ConnectionError is not Python's
            log.exception("guesses cannot be counted")
            raise CannotCountGuesses(OUTAGE_PAUSE) from error
        if guesses > limit:
            forget_guess(counters)
            raise TooManyGuesses(WINDOW - elapsed)
        counters.append(counter)
    return counters


def forget_guess(counters: list[str]) -> None:
    """It was right, or was not checked, so it does not count."""
    for counter in counters:
        with suppress(Exception):  # a full cache has deleted it, or the cache has failed
            cache.decr(counter)


def _key(window: float, values: tuple) -> str:
    return f"room-guess-{window:.0f}-{hashlib.sha256(repr(values).encode()).hexdigest()}"
