"""Finds the submissions of a class in a folder or a zip file.

lessons/guides/grading.md says how a file's name gives its lesson and its student.
A zip file is read, and never unpacked: no name in it leads to a file of this machine.
"""

import re
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from lessons.workshop.course.lesson_index import Lesson, lessons

MAX_FILES = 20_000
MAX_TOTAL = 128 * 1024**2  # bytes of a zip file's content, most of which is kept in memory
MAX_SUBMISSION = 1024**2  # bytes
MAX_NAME = 100  # characters of a name that are shown
_WORK = "work"  # the folder in which students edit their exercises
_HIDDEN = re.compile(r"\.|(__MACOSX|__pycache__)$")  # made by a program, and not by a student
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the memory of others has no limit


class Submission(NamedTuple):
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
    name = path.parent.name if path.name.lower() == _WORK else path.stem or path.name
    found, left_out = [], []
    for names, content in _files_in_folder(path) if path.is_dir() else _files_in_zip(path):
        if any(map(_HIDDEN.match, names)):
            continue
        lesson, student = _identify(names, name)
        file = "/".join(map(printable, names))
        if isinstance(content, str):
            left_out.append(LeftOut(file, content))
        elif lesson is None:
            left_out.append(LeftOut(file, "names no lesson: name it as in work/, as 03_stop.py"))
        elif not asked or lesson in asked:
            found.append(Submission(printable(student), lesson, file, content))
    found.sort(key=lambda one: (one.student.casefold(), one.student, one.lesson.number))
    # Two files of a student for one lesson are both judged, each under its path.
    counts = Counter((one.student, one.lesson) for one in found)
    for index, one in enumerate(found):
        if counts[one.student, one.lesson] > 1:
            found[index] = one._replace(student=f"{one.student} ({one.path})")
    return found, sorted(left_out)


def _files_in_folder(root: Path) -> Iterator[tuple[tuple[str, ...], bytes | str]]:
    """The names of each file with its content, or with the reason why it is left out."""
    for count, file in enumerate(sorted(root.rglob("*"))):
        if count >= MAX_FILES:
            raise UnreadableFolder(f"It holds more than {MAX_FILES} files.")
        names = file.relative_to(root).parts
        if file.is_symlink():  # it may lead to a solution
            yield names, "a symbolic link: ask for the file itself"
        elif file.is_file():
            yield names, _content(file.name, partial(file.open, "rb"))
        elif not file.is_dir():
            yield names, "a pipe or a device"


def _files_in_zip(archive: Path) -> Iterator[tuple[tuple[str, ...], bytes | str]]:
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            # A file never gets more bytes than its entry says.
            if len(entries) > MAX_FILES or sum(one.file_size for one in entries) > MAX_TOTAL:
                limit = f"{MAX_FILES} files, or more than {MAX_TOTAL // 1024**2} MiB"
                raise zipfile.BadZipFile(f"It holds more than {limit}.")
            if any(one.compress_type not in _METHODS for one in entries):
                raise zipfile.BadZipFile("It is compressed in an unusual way.")
            for entry in entries:
                if not entry.is_dir():
                    names = tuple(entry.filename.replace("\\", "/").split("/"))
                    yield names, _content(names[-1], partial(opened.open, entry))
    except Exception as error:  # damaged data raises many types
        reason = f"There is no folder and no zip file {archive} that can be read: {error}"
        raise UnreadableFolder(reason) from None


def _content(name: str, open_file: Callable[[], IO[bytes]]) -> bytes | str:
    if name.lower().endswith(".zip"):
        return "a zip file in the class: unpack it"
    if not name.lower().endswith(".py"):
        return "not a Python file"
    try:
        with open_file() as opened:
            content = opened.read(MAX_SUBMISSION + 1)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    is_large = len(content) > MAX_SUBMISSION
    return f"larger than {MAX_SUBMISSION // 1024**2} MiB" if is_large else content


def printable(name: str) -> str:
    """A name on one line. What cannot be printed or decoded is an escape."""
    text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)
    return text if len(text) <= MAX_NAME else f"{text[: MAX_NAME - 4]}…{text[-3:]}"


def _identify(names: tuple[str, ...], root: str) -> tuple[Lesson | None, str]:
    """For which lesson a file is, if its name says so, and whose it is."""
    known = {one.exercise.stem: one for one in lessons()}
    stem = names[-1][: -len(".py")]
    choice = "|".join(map(re.escape, known))
    found = re.search(rf"(?<![a-z0-9])({choice})(?![a-z0-9])", stem, re.IGNORECASE)
    folders = [name for name in names[:-1] if name.lower() != _WORK]
    rest = f"{stem[: found.start()]} {stem[found.end() :]}" if found else stem
    student = folders[-1] if folders else rest.strip(" _-.()") or root
    return known[found[1].lower()] if found else None, student
