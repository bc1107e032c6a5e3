"""Reads the Python files out of a zip file that may come from a stranger.

No path in the archive becomes one on this machine: each file is saved in a folder with a number.
"""

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lessons.workshop.grading.found_files import (
    FoundFile,
    LeftOut,
    hidden,
    is_hidden,
    left_out,
    printable,
)

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the memory of others has no limit
_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError),
    UnicodeDecodeError,  # a name has the flag of UTF-8, and other bytes
)
_ENCRYPTED = 1  # a bit of flag_bits


@dataclass(frozen=True)
class Limits:
    """What an archive may hold: how many entries, how many bytes to save, how many in one file."""

    entries: int
    total: int
    file: int
    size: int | None = None  # bytes of the archive itself: a list of entries needs memory


# An archive of the whole class, which the instructor has downloaded.
OF_A_CLASS = Limits(entries=20_000, total=512 * 1024**2, file=16 * 1024**2)
# An archive that a student has handed in.
OF_A_STUDENT = Limits(entries=2_000, total=32 * 1024**2, file=2 * 1024**2, size=16 * 1024**2)


class UnreadableArchive(ValueError):
    """The archive is damaged, or holds too much. The message says which."""


def read_archive(
    archive: Path, folder: Path, above: tuple[str, ...], limits: Limits, kinds: tuple[str, ...]
) -> Iterator[FoundFile | LeftOut]:
    """Save the files of these kinds in `folder`; say of each other entry why it is left out.

    `above` is what stands before the names. Only the beginning of a file that is larger than
    `limits.file` is saved. Raises UnreadableArchive, perhaps after some files.
    """
    try:
        if limits.size is not None and archive.stat().st_size > limits.size:
            raise UnreadableArchive(f"It is larger than {limits.size // 1024**2} MiB.")
        with zipfile.ZipFile(archive) as opened:
            yield from _read_entries(opened, folder, above, limits, kinds)
    except _ERRORS as error:
        raise UnreadableArchive(f"It is not a zip file that can be read: {error}") from None


def _read_entries(opened, folder: Path, above, limits: Limits, kinds) -> Iterator:
    # ZipInfo.is_dir() raises IndexError for an empty name, up to Python 3.11.
    entries = [entry for entry in opened.infolist() if not entry.filename.endswith("/")]
    if len(entries) > limits.entries:
        raise UnreadableArchive(f"It holds more than {limits.entries} files.")
    left = limits.total
    folder.mkdir()
    for number, entry in enumerate(entries):
        names = tuple(printable(name) for name in re.split(r"[/\\]", entry.filename))
        parts = (*above, *names)
        if any(map(is_hidden, names)):
            yield hidden(parts)
            continue
        if reason := _refused(entry, names, kinds):
            yield left_out(parts, reason)
            continue
        try:
            with opened.open(entry) as source:
                content = source.read(min(limits.file, left) + 1)
        except _ERRORS as error:
            yield left_out(parts, f"cannot be read from the archive: {error}")
            continue
        left -= len(content)
        if left < 0:
            raise UnreadableArchive(f"It holds more than {limits.total // 1024**2} MiB.")
        file = folder / f"{number:05}" / _safe(names[-1])
        file.parent.mkdir()
        file.write_bytes(content)
        yield FoundFile(parts, file)


def _refused(entry: zipfile.ZipInfo, names: tuple[str, ...], kinds: tuple[str, ...]) -> str:
    """Why this entry is not read, or ""."""
    if set(names) & {"", ".", ".."} or ":" in names[0]:
        return "its path leads out of the archive"
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        return "a link, or another entry that is not a file"
    if not names[-1].lower().endswith(kinds):
        return "not a Python file"
    if entry.flag_bits & _ENCRYPTED:
        return "encrypted"
    if entry.compress_type not in _METHODS:
        return "compressed in a way that is not read here: use an ordinary zip file"
    return ""


def _safe(name: str) -> str:
    """The name of a file, without what a system could take for something else. Verdicts show it."""
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII).lstrip(".-")
