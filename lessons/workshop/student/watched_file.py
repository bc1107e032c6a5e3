"""A file that an editor may save at any time. To see a save, look at its state often.

Polling works on WSL, on network shares and with editors that save by renaming, and needs no thread.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

_QUIET_TIME = 0.005  # seconds without a change, after which the editor has written everything


class WatchedFile:
    """A file, and its state when it was last read."""

    def __init__(self, file: Path):
        self.file = file
        self._seen = state_of(file)

    def look(self) -> None:
        """Call this before reading the file: later changes count as new."""
        self._seen = state_of(self.file)

    def was_saved(self) -> bool:
        """Whether the file exists, has changed since the last look, and is not being written."""
        now = state_of(self.file)
        if now in (self._seen, None):
            return False
        time.sleep(_QUIET_TIME)
        return now == state_of(self.file)


async def changes_of(file: Path, interval: float) -> AsyncIterator[None]:
    """Now, and then whenever the file has changed. `interval` is in seconds, between two looks."""
    seen = ()  # which is no state
    while True:
        if seen != (seen := state_of(file)):
            yield
        await asyncio.sleep(interval)


def state_of(file: Path) -> tuple | None:
    """A value that changes with every save; None if the file does not exist."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
