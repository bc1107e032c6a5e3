"""Files that students have handed in, and what was left out."""

import os
from pathlib import Path
from typing import NamedTuple

SUFFIXES = (".py", ".zip")  # of submissions
_HIDDEN = ("__MACOSX", "__pycache__")
MAX_NAME = 100  # characters of one name that are shown


class FoundFile(NamedTuple):
    """A file that may be a submission: its printable path in names, and where its content is."""

    parts: tuple[str, ...]
    file: Path


class LeftOut(NamedTuple):
    """A file that is not judged, and why. `is_doubtful`: perhaps it is a submission."""

    path: str
    reason: str
    is_doubtful: bool = False


def left_out(parts: tuple[str, ...], reason: str) -> LeftOut:
    """A file that cannot be read. If its name is that of code, it may be a submission."""
    return LeftOut("/".join(parts), reason, parts[-1].lower().endswith(SUFFIXES))


def hidden(parts: tuple[str, ...]) -> LeftOut:
    return LeftOut("/".join(parts), "hidden")


def is_hidden(name: str) -> bool:
    """Whether a system or a program has made this file, and not a student."""
    return (name.startswith(".") and name not in (".", "..")) or name in _HIDDEN


def printable(name: str) -> str:
    """A name on one line. What cannot be printed or decoded is an escape."""
    text = os.fsencode(name).decode(errors="backslashreplace") if _has_surrogate(name) else name
    text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return text if len(text) <= MAX_NAME else f"{text[: MAX_NAME - 4]}…{text[-3:]}"


def _has_surrogate(name: str) -> bool:
    return any(0xD800 <= ord(char) <= 0xDFFF for char in name)
