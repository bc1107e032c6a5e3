"""Finds the submissions of a class in a folder or a zip file.

A submission has the name that the exercise has in work/: `03_stop.py`, perhaps with more before or
after it. Its student is the first folder above it, or else the rest of its name:

    ada/03_stop.py   ada/work/03_stop.py   ada.zip   ada_03_stop.py   03_stop_ada.py

A zip file stands for a folder. If one lesson is asked for, a student's only file may have any name.
A zip file may come from a stranger: no path in it becomes one on this machine.
"""

import io
import os
import re
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lessons.workshop.course.lesson_index import Lesson, lessons

MAX_FILES = 20_000
MAX_TOTAL = 512 * 1024**2  # bytes of all files, which are kept in memory
MAX_SUBMISSION = 1024**2  # bytes
MAX_ARCHIVE = 16 * 1024**2  # bytes of a student's zip file
MAX_EXTRACTED = 32 * 1024**2  # bytes of the files in it
MAX_NAME = 100  # characters of a name that are shown
_WORK = "work"  # the folder in which students edit their exercises
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the memory of others has no limit
_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError),
    UnicodeDecodeError,  # a name has the flag of UTF-8, and other bytes
)
_LINK = "a symbolic link: ask for the file itself"

Names = tuple[str, ...]  # of the folders above a file, and its own
Content = bytes | str  # of a file, or why it is left out


@dataclass(frozen=True)
class Submission:
    """One file of one student for one lesson. `path` is printable."""

    student: str
    lesson: Lesson
    path: str
    content: bytes


class LeftOut(NamedTuple):
    """A file that is not judged, and why. The path of a folder ends with "/"."""

    path: str
    reason: str

    @property
    def is_doubtful(self) -> bool:
        """Whether it may hold a submission."""
        return self.path.lower().endswith((".py", ".zip", "/"))


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
    files, left_out, total = {}, [], 0
    for number, (names, content) in enumerate(_read_all(path), start=1):
        if isinstance(content, bytes):
            files[names] = content
            total += len(content)
        else:
            left_out.append(LeftOut("/".join(names), content))
        if number > MAX_FILES or total > MAX_TOTAL:
            limit = f"{MAX_FILES} files, or more than {MAX_TOTAL // 1024**2} MiB"
            raise UnreadableFolder(f"{path} holds more than {limit}.")
    wrapper = _common_folder(files) if path.is_file() else 0
    root = printable(path.parent.name if path.name.lower() == _WORK else path.stem or path.name)
    named, others = [], []
    for names, content in files.items():
        lesson, student = _identify(names[wrapper:], root)
        if lesson is None:
            others.append((student, "/".join(names), content))
        elif not asked or lesson in asked:
            named.append(Submission(student, lesson, "/".join(names), content))
    students = {one.student for one in named}
    for student, name, content in others:
        if len(asked) == 1 and student not in students:
            named.append(Submission(student, *asked, name, content))
        else:
            left_out.append(LeftOut(name, "names no lesson: name it as in work/, as 03_stop.py"))
    named.sort(key=lambda one: (one.student.casefold(), one.student, one.lesson.number))
    return _distinguished(named), sorted(left_out)


def _read_all(path: Path) -> Iterator[tuple[Names, Content]]:
    """Each file of a folder or a zip file, and of the zip files in it."""
    if not path.exists():
        raise UnreadableFolder(f"There is no folder and no zip file {path}.")
    try:
        found = _read_folder(path) if path.is_dir() else _unzip(path, MAX_TOTAL)
        for names, content in found:
            if isinstance(content, bytes) and names[-1].lower().endswith(".zip"):
                yield from _unzip_student(names, content)
            else:
                yield names, content
    except _ERRORS as error:
        raise UnreadableFolder(f"{path} is not a zip file that can be read: {error}") from None


def _read_folder(root: Path) -> Iterator[tuple[Names, Content]]:
    """Each file below `root`. A link is not followed: it may lead to a solution."""
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            names = (*map(printable, folder.relative_to(root).parts), "")
            yield names, f"cannot be read: {error.strerror}"
            continue
        for entry in entries:
            names = tuple(map(printable, entry.relative_to(root).parts))
            if entry.is_symlink():
                yield names, _LINK
            elif entry.is_dir() and not _is_hidden(entry.name):
                folders.append(entry)
            elif not entry.is_dir() and not _is_hidden(entry.name):
                yield names, _read(entry) if entry.is_file() else "a pipe or a device"


def _read(file: Path) -> Content:
    try:
        return _read_part(file.open("rb"), file.name)
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _read_part(source: BinaryIO, name: str) -> Content:
    """The content of a Python file, or of a zip file, if it is not too large."""
    limits = {".py": MAX_SUBMISSION, ".zip": MAX_ARCHIVE}
    with source:
        if (limit := limits.get(os.path.splitext(name)[1].lower())) is None:
            return "not a Python file"
        content = source.read(limit + 1)
    return content if len(content) <= limit else f"larger than {limit // 1024**2} MiB"


def _unzip_student(names: Names, content: bytes) -> Iterator[tuple[Names, Content]]:
    """The files of a student's zip file. If it is damaged, or holds too much, none of them."""
    above = (*names[:-1], names[-1][: -len(".zip")] or names[-1])
    try:
        found = [*_unzip(io.BytesIO(content), MAX_EXTRACTED)]
    except (UnreadableFolder, *_ERRORS) as error:
        yield names, f"not a zip file that can be read: {error}"
        return
    for inner, part in found:
        is_zip = isinstance(part, bytes) and inner[-1].lower().endswith(".zip")
        yield (*above, *inner), "a zip file in a zip file" if is_zip else part


def _unzip(archive: Path | BinaryIO, total: int) -> Iterator[tuple[Names, Content]]:
    """The files of a zip file. Raises one of _ERRORS, and UnreadableFolder for too many bytes."""
    with zipfile.ZipFile(archive) as opened:
        if len(opened.infolist()) > MAX_FILES:
            raise UnreadableFolder(f"It holds more than {MAX_FILES} files.")
        for entry in opened.infolist():
            parts = re.split(r"[/\\]", entry.filename)
            names = tuple(printable(it) for it in parts if it not in ("", ".", "..")) or ("?",)
            if parts[-1] == "" or any(map(_is_hidden, names)):
                continue
            content = _read_entry(opened, entry, names[-1])
            total -= len(content)
            if total < 0:
                raise UnreadableFolder("It holds too much.")
            yield names, content


def _read_entry(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> Content:
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        return _LINK
    if entry.compress_type not in _METHODS:
        return "compressed in a way that is not read here: use an ordinary zip file"
    try:
        return _read_part(opened.open(entry), name)
    except _ERRORS as error:
        return f"cannot be read from the zip file: {error}"


def _is_hidden(name: str) -> bool:
    """Whether a system or a program has made this file or folder, and not a student."""
    return name.startswith(".") or name in ("__MACOSX", "__pycache__")


def printable(name: str) -> str:
    """A name on one line. What cannot be printed or decoded is an escape."""
    if re.search("[\ud800-\udfff]", name):
        name = os.fsencode(name).decode(errors="backslashreplace")
    text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)
    return text if len(text) <= MAX_NAME else f"{text[: MAX_NAME - 4]}…{text[-3:]}"


def _common_folder(files: Collection[Names]) -> int:
    """How many folders of a zip file contain the folders of all students: they are no student."""
    folders = 0
    while len({names[folders] for names in files}) == 1 and all(
        len([it for it in names[folders:] if it.lower() != _WORK]) > 2 for names in files
    ):
        folders += 1
    return folders


def _identify(names: Names, root: str) -> tuple[Lesson | None, str]:
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
