"""Limits what a client has not read.

Daphne's `send` never waits. If a client reads slowly, all that it has not read piles up in the
server's memory. So the server asks the client now and then for a receipt, and sends no more before
it arrives. The chat needs no queue for the rest: the messages are in the database.
"""

import re
import secrets

FRAMES_PER_RECEIPT = 50  # about twice as many frames can be unconfirmed
RECEIPT_TIMEOUT = 20  # seconds that a client has for reading them

ANSWER = re.compile(r'\s*\{\s*"confirmed"\s*:\s*"([0-9a-f]{16})"\s*\}\s*')


class Receipts:
    """Counts frames, and asks `{"confirm": TOKEN}`. The client answers `{"confirmed": TOKEN}`.

    The token is random, so only a client that reads can answer.
    """

    def __init__(self):
        self._frames = 0  # since the last question
        self._token = None  # of the question that the client has not answered
        self._asked_at = 0.0

    @property
    def is_full(self) -> bool:
        """Whether the client has to confirm before it receives more."""
        return self._token is not None and self._frames >= FRAMES_PER_RECEIPT

    def is_late(self, now: float) -> bool:
        return self.is_full and now - self._asked_at > RECEIPT_TIMEOUT

    def count_frame(self, now: float) -> str | None:
        """Count a frame to the client. Return a token if it is time to ask for a receipt."""
        self._frames += 1
        if self._token is not None or self._frames < FRAMES_PER_RECEIPT:
            return None
        self._frames, self._token, self._asked_at = 0, secrets.token_hex(8), now
        return self._token

    def confirm(self, text) -> bool:
        """Whether this frame answers the last question. Then more frames may be sent."""
        found = ANSWER.fullmatch(text or "")
        if self._token is None or found is None or found[1] != self._token:
            return False
        self._token = None
        return True
