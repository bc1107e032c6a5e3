"""Finds the submissions of a class in a folder or a zip file.

A submission has the name that the exercise has in work/: `03_stop.py`, perhaps with more before or
after it. Its student is the first folder above it, or else the rest of its name:

    ada/03_stop.py   ada/work/03_stop.py   ada.zip   ada_03_stop.py   03_stop_ada.py

A zip file is unpacked into a temporary folder. It may come from a stranger: `zipfile` writes no
file outside of that folder, and no link.
"""

import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from lessons.workshop.course.lesson_index import Lesson, lessons

MAX_FILES = 20_000
MAX_TOTAL = 128 * 1024**2  # bytes of a zip file's content, most of which is kept in memory
MAX_SUBMISSION = 1024**2  # bytes
MAX_NAME = 100  # characters of a name that are shown
_WORK = "work"  # the folder in which students edit their exercises
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the memory of others has no limit
_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError),
    UnicodeDecodeError,  # a name has the flag of UTF-8, and other bytes
)


@dataclass(frozen=True)
class Submission:
    """One file of one student for one lesson. `path` is printable."""

    student: str
    lesson: Lesson
    path: str
    content: bytes


class LeftOut(NamedTuple):
    """A file that is not judged, and why."""

    path: str
    reason: str

    @property
    def is_doubtful(self) -> bool:
        """Whether it may hold a submission."""
        return self.path.lower().endswith((".py", ".zip"))


class UnreadableFolder(ValueError):
    """The folder or zip file cannot be read at all. The message says why."""


def find_submissions(
    path: Path, asked: Collection[Lesson] = ()
) -> tuple[list[Submission], list[LeftOut]]:
    """The submissions for the lessons `asked`, or for all, by student, and what was left out.

    Files that a system has made, and those for other lessons, are in neither list.
    Raises UnreadableFolder.
    """
    path = path.resolve()
    if not path.exists():
        raise UnreadableFolder(f"There is no folder and no zip file {path}.")
    name = printable(path.parent.name if path.name.lower() == _WORK else path.stem or path.name)
    found, left_out = [], []
    with tempfile.TemporaryDirectory(prefix="class-") as temporary:
        root = path
        if path.is_file():
            root = Path(temporary) / "class"
            try:
                _unpack(path, root)
            except _ERRORS as error:
                reason = f"{path} is not a zip file that can be read: {error}"
                raise UnreadableFolder(reason) from None
            root = _folder_of_students(root)
        for names, content in _files(root, Path(temporary)):
            lesson, student = _identify(names, name)
            file = "/".join(map(printable, names))
            if isinstance(content, str):
                left_out.append(LeftOut(file, content))
            elif lesson is None:
                reason = "names no lesson: name it as in work/, as 03_stop.py"
                left_out.append(LeftOut(file, reason))
            elif not asked or lesson in asked:
                found.append(Submission(printable(student), lesson, file, content))
    found.sort(key=lambda one: (one.student.casefold(), one.student, one.lesson.number))
    return _distinguished(found), sorted(left_out)


def _files(
    root: Path, temporary: Path, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], bytes | str]]:
    """The names of each file with its content, or with the reason why it is left out.

    `above` are the names of the zip file that was unpacked into `root`.
    """
    for count, file in enumerate(sorted(root.rglob("*"))):
        if count >= MAX_FILES:
            raise UnreadableFolder(f"It holds more than {MAX_FILES} files.")
        names = (*above, *file.relative_to(root).parts)
        if any(map(_is_hidden, names)) or (file.is_dir() and not file.is_symlink()):
            continue
        if file.suffix.lower() != ".zip" or not file.is_file():
            yield names, _content(file)
            continue
        folder = Path(tempfile.mkdtemp(dir=temporary))
        try:
            if above:
                raise zipfile.BadZipFile("It is inside a zip file of a student.")
            _unpack(file, folder)
        except _ERRORS as error:
            yield names, f"not a zip file that can be read: {error}"
        else:
            yield from _files(folder, temporary, (*names[:-1], file.stem))
        shutil.rmtree(folder)


def _content(file: Path) -> bytes | str:
    if file.is_symlink():
        return "a symbolic link: ask for the file itself"  # it may lead to a solution
    if file.suffix.lower() != ".py":
        return "not a Python file"
    if not file.is_file():
        return "a pipe or a device"
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_SUBMISSION + 1)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    is_large = len(content) > MAX_SUBMISSION
    return f"larger than {MAX_SUBMISSION // 1024**2} MiB" if is_large else content


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip file. Raises one of _ERRORS, also for one that holds too much."""
    with zipfile.ZipFile(archive) as opened:
        entries = opened.infolist()
        # A file never gets more bytes than its entry says.
        if len(entries) > MAX_FILES or sum(one.file_size for one in entries) > MAX_TOTAL:
            limit = f"{MAX_FILES} files, or more than {MAX_TOTAL // 1024**2} MiB"
            raise zipfile.BadZipFile(f"It holds more than {limit}.")
        if any(one.compress_type not in _METHODS for one in entries):
            raise zipfile.BadZipFile("It is compressed in an unusual way.")
        folder.mkdir(exist_ok=True)
        for one in entries:
            one.filename = one.filename.replace("\\", "/")
            opened.extract(one, folder)


def _folder_of_students(root: Path) -> Path:
    """The folder in an unpacked zip file that has the students' folders: often it is the only one.

    The folder of a single student has files, or the folder work.
    """
    inside = [one for one in root.iterdir() if not _is_hidden(one.name)]
    if len(inside) == 1 and inside[0].is_dir():
        below = [one for one in inside[0].iterdir() if not _is_hidden(one.name)]
        if not any(one.suffix == ".py" or one.name.lower() == _WORK for one in below):
            return _folder_of_students(inside[0])
    return root


def _is_hidden(name: str) -> bool:
    """Whether a system or a program has made this file or folder, and not a student."""
    return name.startswith(".") or name in ("__MACOSX", "__pycache__")


def printable(name: str) -> str:
    """A name on one line. What cannot be printed or decoded is an escape."""
    if re.search("[\ud800-\udfff]", name):
        name = os.fsencode(name).decode(errors="backslashreplace")
    text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)
    return text if len(text) <= MAX_NAME else f"{text[: MAX_NAME - 4]}…{text[-3:]}"


def _identify(names: tuple[str, ...], root: str) -> tuple[Lesson | None, str]:
    """For which lesson a file is, if its name says so, and whose it is."""
    slugs = {one.slug: one for one in lessons()}
    # In `99_stop` the lesson had another number.
    choice = "|".join(sorted(map(re.escape, slugs), key=len, reverse=True))
    stem = names[-1][: -len(".py")]
    found = re.search(rf"(?<![a-z0-9])\d\d_({choice})(?![a-z0-9])", stem, re.IGNORECASE)
    rest = f"{stem[: found.start()]} {stem[found.end() :]}" if found else stem
    folders = [name for name in names[:-1] if name.lower() != _WORK]
    student = folders[0] if folders else rest.strip(" _-.()") or root
    return slugs[found[1].lower()] if found else None, student


def _distinguished(found: list[Submission]) -> list[Submission]:
    """Two files of a student for one lesson are both judged, each under its path."""
    counts = Counter((one.student, one.lesson) for one in found)
    return [
        replace(one, student=f"{one.student} ({one.path})")
        if counts[one.student, one.lesson] > 1
        else one
        for one in found
    ]
