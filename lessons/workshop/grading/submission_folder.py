"""Finds the submissions in a folder or a zip file: whose each file is, and for which lesson.

These layouts are known, also mixed:

    ada.py  03_stop_ada.py                 a file for each student
    ada/03_stop.py  ada/work/03_stop.py    a folder for each student
    ada.zip                                a zip file for each student
    03_stop/ada.py                         a folder for each lesson
    work/03_stop.py                        the exercises of one student
"""

import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from lessons.workshop.course.lesson_index import Lesson, lessons
from lessons.workshop.grading.archive import (
    OF_A_CLASS,
    OF_A_STUDENT,
    UnreadableArchive,
    read_archive,
)
from lessons.workshop.grading.found_files import (
    SUFFIXES,
    FoundFile,
    LeftOut,
    hidden,
    is_hidden,
    left_out,
    printable,
)

MAX_FILES = 20_000  # of a folder
_READ = 1024**2  # bytes of a file in which a class is looked for
_DEFINED = re.compile(rb"^(?:class|def|async +def) +(\w+)", re.MULTILINE)
_WORK = "work"  # the folder in which students edit their exercises


@dataclass(frozen=True)
class Submission:
    """One file of one student for one lesson. `path` is printable, `file` holds the content."""

    student: str
    lesson: Lesson
    path: str
    file: Path


@dataclass(frozen=True)
class SubmissionFolder:
    """What was found: the submissions by student and lesson, and all other files."""

    name: str
    submissions: tuple[Submission, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def students(self) -> list[str]:
        return list(dict.fromkeys(one.student for one in self.submissions))


class UnreadableFolder(ValueError):
    """The folder or zip file cannot be read at all. The message says why, and what to do."""


@contextmanager
def open_submissions(path: Path, asked: Collection[Lesson] = ()) -> Iterator[SubmissionFolder]:
    """Find the submissions for the lessons `asked`, or for all. Raises UnreadableFolder.

    Within the context, the files of zip files exist in a temporary folder.
    """
    path = path.resolve()
    with tempfile.TemporaryDirectory(prefix="submissions-") as extracted:
        found = list(_find_files(path, Path(extracted)))
        files = [one for one in found if isinstance(one, FoundFile)]
        others = [one for one in found if isinstance(one, LeftOut)]
        files = _without_common_folder(files) if path.is_file() else files
        name = path.parent.name if path.name.lower() == _WORK else path.stem or path.name
        named = [_identify(file, printable(name), tuple(asked)) for file in files]
        submissions = _distinguished([one for one in named if isinstance(one, Submission)])
        others += [one for one in named if isinstance(one, LeftOut)]
        submissions.sort(key=lambda one: (one.student.casefold(), one.student, one.lesson.number))
        yield SubmissionFolder(printable(path.name), tuple(submissions), tuple(sorted(others)))


def _find_files(path: Path, extracted: Path) -> Iterator[FoundFile | LeftOut]:
    """The Python files of a folder or a zip file, and of the zip files in it."""
    try:
        if path.is_dir():
            found = list(_files_of_folder(path))
        elif path.is_file():
            found = list(read_archive(path, extracted / "all", (), OF_A_CLASS, SUFFIXES))
        else:
            raise UnreadableFolder(f"There is no folder and no zip file {path}.")
    except UnreadableArchive as error:
        raise UnreadableFolder(f"{path}: {error}") from None
    for number, one in enumerate(found):
        if isinstance(one, LeftOut) or one.file.suffix.lower() != ".zip":
            yield one
        else:
            yield from _files_of_student_archive(one, extracted / str(number))


def _files_of_student_archive(found: FoundFile, folder: Path) -> Iterator[FoundFile | LeftOut]:
    """The Python files of a zip file in the folder. Its name stands for a folder."""
    above = (*found.parts[:-1], found.parts[-1][: -len(".zip")] or found.parts[-1])
    try:
        yield from read_archive(found.file, folder, above, OF_A_STUDENT, (".py",))
    except UnreadableArchive as error:
        yield left_out(found.parts, str(error))


def _files_of_folder(root: Path) -> Iterator[FoundFile | LeftOut]:
    """All files below `root`. A link is not followed: it may lead to a solution."""
    folders, count = [(root, ())], 0
    while folders:
        folder, above = folders.pop()
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            yield LeftOut("/".join(above), f"cannot be read: {error.strerror}", is_doubtful=True)
            continue
        for entry in entries:
            parts = (*above, printable(entry.name))
            count += 1
            if count > MAX_FILES:
                raise UnreadableFolder(f"{root} holds more than {MAX_FILES} files.")
            if is_hidden(entry.name):
                yield hidden(parts)
            elif entry.is_symlink():
                yield left_out(parts, "a symbolic link: ask for the file itself")
            elif entry.is_dir():
                folders.append((entry, parts))
            elif not entry.is_file():
                yield left_out(parts, "a pipe or a device")
            elif entry.suffix.lower() not in SUFFIXES:
                yield left_out(parts, "not a Python file")
            else:
                yield FoundFile(parts, entry)


def _without_common_folder(files: list[FoundFile]) -> list[FoundFile]:
    """A zip file often holds one folder with all submissions: that folder is not a student."""
    first = {file.parts[0] for file in files}
    second = {file.parts[1:2] for file in files}
    is_wrapper = len(first) == 1 and len(second) > 1 and all(len(it.parts) > 1 for it in files)
    if not is_wrapper or any(_lesson_in(Path(it.parts[1]).stem)[0] for it in files):
        return files
    return [file._replace(parts=file.parts[1:]) for file in files]


def _identify(found: FoundFile, root_name: str, asked: tuple[Lesson, ...]) -> Submission | LeftOut:
    """Whose file it is, and for which lesson: from the names in its path, then from its code."""
    path = "/".join(found.parts)
    lesson, names = None, []
    for name in (*found.parts[:-1], found.parts[-1][: -len(".py")]):
        named, rest = _lesson_in(name)
        lesson = named or lesson
        if rest and rest.lower() != _WORK:
            names.append(rest)
    student = names[0] if names else root_name
    if lesson is None:
        lesson = _lesson_of_code(found.file, asked)
    if isinstance(lesson, str):
        return left_out(found.parts, lesson)
    if asked and lesson not in asked:
        return LeftOut(path, f"for lesson {lesson.number} {lesson.slug}, which was not asked for")
    return Submission(student, lesson, path, found.file)


def _lesson_in(name: str) -> tuple[Lesson | None, str]:
    """The lesson that a name of a file or folder contains, and the rest of the name."""
    for lesson, pattern in _name_patterns():
        if found := pattern.search(name):
            rest = f"{name[: found.start()]} {name[found.end() :]}"
            return lesson, rest.strip(" _-.()")
        if name.lower() == lesson.slug:
            return lesson, ""
    return None, name


@cache
def _name_patterns() -> list[tuple[Lesson, re.Pattern]]:
    """Patterns for `03_stop`, `3-stop`, `Lesson 3`. In `99_stop` the lesson had another number."""
    return [
        (
            lesson,
            re.compile(
                rf"(?<![a-z0-9])(?:0?{lesson.number}[_ -]?{re.escape(lesson.slug)}"
                rf"|\d\d_{re.escape(lesson.slug)}|lesson[_ -]?0?{lesson.number})(?![a-z0-9])",
                re.IGNORECASE,
            ),
        )
        for lesson in lessons()
    ]


def _lesson_of_code(file: Path, asked: tuple[Lesson, ...]) -> Lesson | str:
    """The lesson whose exercise this code defines, or why that is unknown."""
    try:
        with file.open("rb") as opened:
            defined = _DEFINED.findall(opened.read(_READ))
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    fitting = [one for one in lessons() if one.exercise_name.encode() in defined]
    narrowed = [one for one in fitting if one in asked] or fitting
    if len(narrowed) == 1:
        return narrowed[0]
    if narrowed:
        numbers = " or ".join(f"{one.folder.name}.py" for one in narrowed)
        return f"its class belongs to several lessons: name it {numbers}"
    if len(asked) == 1:
        return asked[0]
    return "names no lesson and defines no exercise: name it as in work/, for example 03_stop.py"


def _distinguished(submissions: list[Submission]) -> list[Submission]:
    """Two files of a student for one lesson are both judged, each under its path."""
    counts = Counter((one.student, one.lesson) for one in submissions)
    return [
        replace(one, student=f"{one.student} ({one.path})")
        if counts[one.student, one.lesson] > 1
        else one
        for one in submissions
    ]
