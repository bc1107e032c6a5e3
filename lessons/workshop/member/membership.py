"""The class that this workshop has joined: the file `.workshop/room.json`.

Only this user may read the file, because it has a secret. Without it, the workshop is in no class.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from lessons.workshop.course.lesson_index import Lesson, find
from lessons.workshop.setup import atomic_write
from lessons.workshop.student import progress
from lessons.workshop.student.progress import Progress

NOT_RELEASED = "Your instructor has not released this yet."


@dataclass(frozen=True)
class Membership:
    """What the room has given this workshop, and what the workshop must remember of the class.

    `dismissed` is the id of the last message that the student has dismissed. `held` has the
    switches that hold something back, and `today` the slugs of today's lessons, [] for no plan:
    both stay in force while the room is unreachable.
    """

    url: str
    token: str = field(repr=False)
    name: str
    school_class: str
    shares_code: bool = False
    dismissed: int = 0
    held: list[str] = field(default_factory=list)
    today: list[str] = field(default_factory=list)


def file() -> Path:
    return progress.state_dir() / "room.json"


def read() -> Membership | None:
    """The membership; None without one. A damaged file counts as none."""
    try:
        return msgspec.json.decode(file().read_bytes(), type=Membership)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        progress.warn_once(f"{file()} cannot be read, so this workshop is in no class: {error}")
        return None


def save(new: Membership) -> None:
    """Begin a membership. Raises OSError."""
    with progress.state_lock("room"):
        _write(new)


def change(known: Membership, **values) -> Membership:
    """The membership with these values. They are saved, unless the student has left meanwhile.

    If the file cannot be written, log a warning and continue.
    """
    with progress.state_lock("room"):
        found = read()
        if found is None or found.token != known.token:
            return replace(known, **values)
        new = replace(found, **values)
        if new != found:
            try:
                _write(new)
            except OSError as error:
                progress.warn_once(f"The class: {atomic_write.explain_os_error(error)}")
    return new


def forget() -> None:
    """Leave the class. Raises OSError."""
    with progress.state_lock("room"):
        file().unlink(missing_ok=True)


def is_held(what: str) -> bool:
    """Whether an instructor holds back the "hints" or the "solutions"."""
    found = read()
    return found is not None and what in found.held


def may_read_solution(lesson: Lesson, known: Progress | None = None) -> bool:
    """Whether the solution is open: after a green exercise, unless an instructor holds it back.

    What a student has opened stays open. `known` is the progress, if it was read already.
    """
    known = progress.of(lesson) if known is None else known
    return known.is_read or (known.was_green and not is_held("solutions"))


def todays_lessons() -> tuple[Lesson, ...]:
    """The lessons that the instructor has chosen for today; none without a plan."""
    found = read()
    return tuple(map(find, found.today)) if found else ()


def _write(new: Membership) -> None:
    atomic_write.write(file(), msgspec.json.encode(new), permissions=0o600)
