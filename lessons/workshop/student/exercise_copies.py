"""The student's copies of the exercises: `work/NN_slug.py`, ignored by git.

A student edits the copy, never the original in `lessons/`, so a `git pull` has no conflict.
`.workshop/originals.json` remembers which original each copy was made from: a copy that equals it
is unedited, and follows when the course changes the exercise.
"""

import hashlib
import json
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import MANAGE, Lesson
from lessons.workshop.setup.atomic_write import create, explain_os_error, write
from lessons.workshop.student import progress


def create_copies() -> list[str]:
    """Create the missing copies and update the unedited ones. Returns lines for the student.

    Every command of the workshop calls this first.
    """
    lines: list[str] = []
    failures: dict[int | None, str] = {}  # by errno: a read-only folder is reported once
    with progress.state_lock("copies"):
        known = _read_bases()
        bases = dict(known)
        for lesson in lesson_index.lessons():
            try:
                lines += _follow_number(lesson, bases)
                _update_copy(lesson, bases)
            except OSError as error:
                failures.setdefault(error.errno, explain_os_error(error))
        if bases != known:
            _save_bases(bases)
    return lines + [f"Your copies of the exercises: {failure}" for failure in failures.values()]


def _follow_number(lesson: Lesson, bases: dict[str, str]) -> list[str]:
    """Rename the copy and its backups if the lesson had another number. Returns a line then."""
    folder = lesson.exercise.parent
    copies = sorted(folder.glob(f"[0-9][0-9]_{lesson.slug}.py"))
    if not copies or lesson.exercise in copies:
        return []
    old = copies[-1]
    for file in (old, *folder.glob(f"{old.stem}.*.py")):
        file.rename(file.with_name(file.name.replace(old.stem, lesson.folder.name, 1)))
    if base := bases.pop(old.stem, None):
        bases[lesson.folder.name] = base
    return [f"Your {folder.name}/{old.name} is now {folder.name}/{lesson.exercise.name}."]


def _update_copy(lesson: Lesson, bases: dict[str, str]) -> None:
    """Create the copy, or let an unedited one follow its original."""
    original = read_content(lesson.original)
    if original is None:
        return
    name, newest, copy = lesson.folder.name, digest(original), digest_of(lesson.exercise)
    if copy is None:
        with suppress(FileExistsError):  # an editor has just saved it
            create(lesson.exercise, original)
    elif copy != newest and copy == bases.get(name):
        write(lesson.exercise, original)
    elif copy != newest and name in bases:
        return  # edited: the base stays, so that `update_notice` can compare
    bases[name] = newest


def is_unedited(lesson: Lesson) -> bool:
    """Whether the copy is the original that it was made from, or the newest one."""
    try:
        copy, newest = digest_of(lesson.exercise), digest_of(lesson.original)
    except OSError:
        return False
    return copy is not None and copy in (newest, _read_bases().get(lesson.folder.name))


def update_notice(lesson: Lesson) -> str:
    """A line that says that the course has changed an exercise that the student edited, or ""."""
    base, newest = _read_bases().get(lesson.folder.name), digest_of(lesson.original)
    if base in (None, newest) or newest is None or is_unedited(lesson):
        return ""
    return (
        f"The exercise of lesson {lesson.number} has changed since you began. To take the new one "
        f"and keep your version: {MANAGE} lesson reset {lesson.number}"
    )


def reset_exercise(lesson: Lesson) -> Path | None:
    """Replace the copy with the original. Raises OSError, and the copy stays then.

    Returns the path of the backup, or None if the copy was unedited.
    """
    original = lesson.original.read_bytes()
    with progress.state_lock("copies"):
        copy = read_content(lesson.exercise)
        backup = None if copy is None or is_unedited(lesson) else back_up(lesson, copy)
        # Before the file changes, or a judge that sees the change would judge it as the student's.
        progress.reset_progress(lesson)
        write(lesson.exercise, original)
        _save_bases({**_read_bases(), lesson.folder.name: digest(original)})
    return backup


def back_up(lesson: Lesson, content: bytes) -> Path:
    """Save a student's version beside the copy, under a new name. Returns the new path."""
    stem = f"{lesson.exercise.stem}.{datetime.now():%Y-%m-%d-%H%M}"
    names = (f"{stem}.py" if number == 1 else f"{stem}-{number}.py" for number in count(1))
    backups = (lesson.exercise.with_name(name) for name in names)
    backup = next(file for file in backups if not file.exists())
    create(backup, content)
    return backup


def latest_backup(lesson: Lesson) -> Path | None:
    """The newest backup, or None."""
    backups = lesson.exercise.parent.glob(f"{lesson.exercise.stem}.*.py")
    return max(backups, key=lambda file: file.stat().st_mtime_ns, default=None)


def digest(content: bytes) -> str:
    """A digest that ignores line ends: git on Windows changes them."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def digest_of(file: Path) -> str | None:
    """The digest of a file; None if it does not exist. Raises OSError if it cannot be read."""
    content = read_content(file)
    return None if content is None else digest(content)


def read_content(file: Path) -> bytes | None:
    """The bytes of a file; None if it does not exist. Raises OSError if it cannot be read."""
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _bases_file() -> Path:
    return progress.state_dir() / "originals.json"


def _read_bases() -> dict[str, str]:
    """The digest of the original that each copy was made from."""
    with suppress(OSError, ValueError):
        bases = json.loads(_bases_file().read_bytes())
        return bases if isinstance(bases, dict) else {}
    return {}


def _save_bases(bases: dict[str, str]) -> None:
    with suppress(OSError):
        write(_bases_file(), json.dumps(bases).encode())
