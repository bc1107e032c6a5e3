"""How far the student has come: one file, .workshop/progress.json, shared by terminal and page."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

from django.core.files import locks

from lessons.core import atomic_write, catalogue
from lessons.core.catalogue import Lesson

STATES = ("new", "red", "green")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """One lesson's: its state now, whether it ever was green, hints shown, the last verdict."""

    state: Literal["new", "red", "green"] = "new"
    was_green: bool = False
    hints: int = 0
    verdict: dict | None = None


def state_dir() -> Path:
    """The git-ignored folder that holds all that belongs to the student and not to the course."""
    return catalogue.PROJECT_DIR / ".workshop"


def read() -> dict[str, Progress]:
    """Progress by lesson key; lessons that were never touched are absent."""
    try:
        with state_lock():
            return _load()
    except OSError as error:
        _say(f"Your progress cannot be read: {atomic_write.explain_os_error(error)}")
        return {}


def of(lesson: Lesson) -> Progress:
    return read().get(lesson.key, Progress())


def next_lesson() -> Lesson:
    """The first lesson that is not green; the last one when all are."""
    known = read()
    todo = (one for one in catalogue.lessons() if known.get(one.key, Progress()).state != "green")
    return next(todo, catalogue.lessons()[-1])


def keep_verdict(lesson: Lesson, verdict) -> None:
    """Remember how the student's exercise was judged. Green once stays known."""
    state, was_green = ("green", True) if verdict.green else ("red", False)
    told = verdict.as_json()
    for outcome in told["outcomes"]:
        if outcome["finding"] is None:
            outcome["transcript"] = []  # no page shows it, and each page reads the whole file
    _change(
        lesson,
        lambda old: replace(
            old,
            state=state,
            was_green=was_green or old.was_green,
            verdict=told,
        ),
    )


def show_hint(lesson: Lesson) -> int:
    """Count one more hint as shown; how many are shown now."""
    most = len(lesson.hints)
    return _change(lesson, lambda old: replace(old, hints=min(old.hints + 1, most))).hints


def reset_progress(lesson: Lesson) -> None:
    """Forget all but that the lesson was green once."""
    _change(lesson, lambda old: Progress(was_green=old.was_green))


def _change(lesson: Lesson, change: Callable[[Progress], Progress]) -> Progress:
    """Read, change and write one lesson's progress while no one else does.

    Where it cannot be written, that is said, and the work goes on without it.
    """
    try:
        with state_lock():
            known = _load()
            changed = known[lesson.key] = change(known.get(lesson.key, Progress()))
            _save(known)
        return changed
    except OSError as error:
        _say(f"Your progress cannot be kept: {atomic_write.explain_os_error(error)}")
        return change(of(lesson))


@contextmanager
def state_lock(name: str = "progress") -> Iterator[None]:
    """Keep other processes out. Where a file cannot be locked, the work goes on without a lock."""
    with ExitStack() as stack:
        with suppress(OSError):
            state_dir().mkdir(exist_ok=True)
            lock = stack.enter_context(open(state_dir() / f"{name}.lock", "w"))
            locks.lock(lock, locks.LOCK_EX)
        yield


def file() -> Path:
    """A new one after every change."""
    return state_dir() / "progress.json"


def _load() -> dict[str, Progress]:
    try:
        text = file().read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except UnicodeDecodeError:
        return _set_damaged_aside()
    try:
        return {key: _parsed(entry) for key, entry in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return _set_damaged_aside()


def _parsed(entry: dict) -> Progress:
    """Raises TypeError or ValueError when it is not what _save() wrote."""
    names = {field.name for field in fields(Progress)}
    found = Progress(**{name: value for name, value in entry.items() if name in names})
    right = (
        found.state in STATES
        and type(found.was_green) is bool
        and type(found.hints) is int
        and found.hints >= 0
        and isinstance(found.verdict, dict | None)
    )
    if not right:
        raise ValueError(f"not a lesson's progress: {entry}")
    return found


def _set_damaged_aside() -> dict[str, Progress]:
    aside = file().with_name(f"progress.json.damaged-{datetime.now():%Y%m%d-%H%M%S}")
    os.replace(file(), aside)
    _say(f"{file()} was damaged. It is set aside as {aside.name}, and counting starts anew.")
    return {}


def _save(known: dict[str, Progress]) -> None:
    text = json.dumps({key: asdict(one) for key, one in known.items()})
    atomic_write.write(file(), text.encode())


@cache
def _say(line: str) -> None:
    """Once a process: a watch on a read-only folder would repeat it at every save."""
    log.warning(line)
