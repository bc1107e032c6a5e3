"""The student's progress: the file .workshop/progress.json, shared by terminal and pages."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import IO, Literal

from django.core.files import locks

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.process.data import read_dataclass
from lessons.workshop.setup import atomic_write
from lessons.workshop.student.watched_file import changes_of

STATES = ("new", "red", "green")
FOLLOW_INTERVAL = 0.1  # seconds between two looks at the file

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """One lesson's progress. `was_green` stays true when the exercise becomes red again.

    `is_read` says that the student looked at the solution of a lesson that was never green.
    """

    state: Literal["new", "red", "green"] = "new"
    was_green: bool = False
    hints: int = 0
    verdict: dict | None = None
    is_read: bool = False

    @property
    def standing(self) -> Literal["new", "red", "green", "read"]:
        """How far the student is: `state`, or "read" until the exercise is green."""
        return "read" if self.is_read and self.state != "green" else self.state

    @property
    def is_done(self) -> bool:
        """Whether the student has finished with this lesson: it is green, or read."""
        return self.standing in ("green", "read")


def state_dir() -> Path:
    """The folder of everything that belongs to the student; git ignores it."""
    return lesson_index.PROJECT_DIR / ".workshop"


def read() -> dict[str, Progress]:
    """Progress by lesson key. A lesson that the student has not begun has no entry."""
    try:
        with state_lock():
            return _load()
    except OSError as error:
        warn_once(f"Your progress cannot be read: {atomic_write.explain_os_error(error)}")
        return {}


async def follow() -> AsyncIterator[dict[str, Progress]]:
    """All progress now, and then what has changed, whichever process has written it."""
    known = {}
    async for _ in changes_of(file(), FOLLOW_INTERVAL):
        before, known = known, await asyncio.to_thread(read)
        changed = {key: one for key, one in known.items() if before.get(key) != one}
        if changed:
            yield changed


def of(lesson: Lesson) -> Progress:
    return read().get(lesson.key, Progress())


def next_lesson() -> Lesson:
    """The first lesson that is neither green nor read; the last one if all are."""
    known = read()
    todo = (one for one in lesson_index.lessons() if not known.get(one.key, Progress()).is_done)
    return next(todo, lesson_index.lessons()[-1])


def save_verdict(lesson: Lesson, verdict) -> None:
    """Save the verdict on the student's exercise."""
    saved = verdict.as_json()
    for outcome in saved["outcomes"]:
        if outcome["finding"] is None:
            outcome["transcript"] = []  # no page shows it, and each page reads the whole file

    def with_verdict(old: Progress) -> Progress:
        state = "green" if verdict.green else "red"
        was_green = old.was_green or verdict.green
        return Progress(state, was_green, old.hints, saved, old.is_read and not was_green)

    _change(lesson, with_verdict)


def show_hint(lesson: Lesson) -> int:
    """Show one more hint. Returns the number of hints that are shown now."""
    total = len(lesson.hints)
    return _change(lesson, lambda old: replace(old, hints=min(old.hints + 1, total))).hints


def show_solution(lesson: Lesson) -> Progress:
    """Show the solution. A lesson that was never green counts as read from now on."""
    return _change(lesson, lambda old: replace(old, is_read=not old.was_green))


def reset_progress(lesson: Lesson) -> None:
    """Forget everything except that the lesson was green once."""
    _change(lesson, lambda old: Progress(was_green=old.was_green))


def _change(lesson: Lesson, change: Callable[[Progress], Progress]) -> Progress:
    """Read, change and write one lesson's progress under the lock.

    If the file cannot be written, log a warning and continue.
    """
    try:
        with state_lock():
            known = _load()
            old = known.get(lesson.key, Progress())
            changed = known[lesson.key] = change(old)
            if changed != old:
                _save(known)
        return changed
    except OSError as error:
        warn_once(f"Your progress cannot be saved: {atomic_write.explain_os_error(error)}")
        return change(of(lesson))


@contextmanager
def state_lock(name: str = "progress") -> Iterator[None]:
    """Keep other processes out. If the file cannot be locked, continue without a lock."""
    with ExitStack() as stack:
        with suppress(OSError):
            state_dir().mkdir(exist_ok=True)
            lock = stack.enter_context(open(state_dir() / f"{name}.lock", "w"))
            locks.lock(lock, locks.LOCK_EX)
        yield


def try_lock(name: str) -> IO | None:
    """The locked file of that name; None if another process has locked it. Raises OSError.

    The lock is released when the file is closed, or when its process ends.
    """
    state_dir().mkdir(exist_ok=True)
    lock = open(state_dir() / name, "a")  # noqa: SIM115 - the caller closes it
    if locks.lock(lock, locks.LOCK_EX | locks.LOCK_NB):
        return lock
    lock.close()
    return None


def file() -> Path:
    """The path of the progress file. Each write replaces the file with a new one."""
    return state_dir() / "progress.json"


def _load() -> dict[str, Progress]:
    try:
        text = file().read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except UnicodeDecodeError:
        return _rename_damaged_file()
    try:
        known = {key: _parsed(entry) for key, entry in json.loads(text).items()}
        return _with_present_keys(known)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return _rename_damaged_file()


def _with_present_keys(known: dict[str, Progress]) -> dict[str, Progress]:
    """Give an entry the key of its lesson, whose number may have changed since it was saved."""
    keys = {key.partition("-")[2]: key for key in (one.key for one in lesson_index.lessons())}
    moved = {keys.get(key.partition("-")[2], key): one for key, one in known.items()}
    return moved | {key: one for key, one in known.items() if key in moved}


def _parsed(entry: dict) -> Progress:
    """Raises TypeError or ValueError for anything that _save() did not write."""
    names = {one.name for one in fields(Progress)}
    return read_dataclass(Progress, {key: it for key, it in entry.items() if key in names})


def _rename_damaged_file() -> dict[str, Progress]:
    damaged = file().with_name(f"progress.json.damaged-{datetime.now():%Y%m%d-%H%M%S}")
    os.replace(file(), damaged)
    warn_once(f"{file()} was damaged. It is now {damaged.name}, and a new file was started.")
    return {}


def _save(known: dict[str, Progress]) -> None:
    text = json.dumps({key: asdict(one) for key, one in known.items()})
    atomic_write.write(file(), text.encode())


@cache
def warn_once(line: str) -> None:
    """Once for each process: `lesson watch` in a read-only folder would warn at every save."""
    log.warning(line)
