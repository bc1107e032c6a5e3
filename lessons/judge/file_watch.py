"""A file that a student saves: when there is something new in it.

It is looked at many times a second. That needs no file events, so it works on WSL, on network
shares and with editors that save by renaming, and it starts no thread, so the runner can fork the
process that looks.
"""

import time
from pathlib import Path

_REST = 0.005  # seconds without a change, after which an editor is taken to have finished writing


class WatchedFile:
    """A file, and how it was when somebody last looked at what is in it."""

    def __init__(self, file: Path):
        self.file = file
        self._seen = state_of(file)

    def look(self) -> None:
        """Called before the file is read: what is saved from now on counts as new."""
        self._seen = state_of(self.file)

    def was_saved(self) -> bool:
        """Whether there is a file, another than at the last look, and nobody at work on it."""
        now = state_of(self.file)
        if now in (self._seen, None):
            return False
        time.sleep(_REST)
        return now == state_of(self.file)


def state_of(file: Path) -> tuple | None:
    """Changes with every save; None where there is no file, as in the midst of a renaming."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
