"""The judge's sign on the door: whether there is one, and which exercise it is at.

Whoever asks is a server that the reloader starts anew at each change, so the sign is two files
beside the progress. A lock is let go by the system itself, however its holder ends.
"""

from contextlib import suppress
from pathlib import Path
from typing import IO

from django.core.files import locks

from lessons.core import progress
from lessons.core.catalogue import Lesson


def acquire_lock() -> IO | None:
    """The lock, to be kept for life; None while another judge has it. Raises OSError."""
    lock = open(_lock(), "w")  # noqa: SIM115 - whoever takes office closes it by ending
    if locks.lock(lock, locks.LOCK_EX | locks.LOCK_NB):
        return lock
    lock.close()
    return None


def is_there() -> bool:
    """Whether a judge is at work here."""
    try:
        with open(_lock()) as lock:
            return not locks.lock(lock, locks.LOCK_SH | locks.LOCK_NB)
    except OSError:
        return False


def judging_file() -> Path:
    """Holds the key of the lesson whose exercise is being judged, or nothing."""
    return progress.state_dir() / "judging"


def is_judging(lesson: Lesson) -> bool:
    try:
        return judging_file().read_text(encoding="utf-8") == lesson.key and is_there()
    except OSError:
        return False


def announce(key: str) -> None:
    with suppress(OSError):  # a folder that takes no files: the verdict is what counts
        judging_file().write_text(key, encoding="utf-8")


def _lock() -> Path:
    return progress.state_dir() / "judge.lock"
