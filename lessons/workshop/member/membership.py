"""The class that this workshop has joined: the file `.workshop/room.json`.

Only this user may read the file, because it has a secret. Without it, the workshop is in no class.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.setup import atomic_write
from lessons.workshop.student import progress
from lessons.workshop.student.progress import Progress

NOT_RELEASED = "Your instructor has not released this yet."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Membership:
    """What the room has given this workshop, and what the workshop must not forget.

    `place` is the code with which the student returns on another machine. `device` names this
    folder. `asked_name` is the name with which the student joined; a class of pseudonyms gives
    another one. `after` is the id of the last announcement. `acknowledged` is the number of the
    last report that the room has stored, and `reported` has, by lesson key, the version of the
    progress in the last one. `messages` are those that the student has not dismissed: {"id",
    "text"}.
    """

    url: str
    code: str = field(repr=False)
    token: str = field(repr=False)
    place: str = field(repr=False)
    name: str
    school_class: str
    device: str
    shares_code: bool = False
    asked_name: str = ""
    after: int = 0
    acknowledged: int = 0
    reported: dict[str, int] = field(default_factory=dict)
    hints_held: list[str] = field(default_factory=list)
    solutions_held: list[str] = field(default_factory=list)
    messages: list[dict] = field(default_factory=list)

    def holds(self, what: str, lesson: Lesson) -> bool:
        """Whether the instructor holds back the "hints" or the "solutions" of this lesson."""
        held = self.hints_held if what == "hints" else self.solutions_held
        return "*" in held or lesson.slug in held


class MembershipEnded(Exception):
    """The student has left the class, or has joined another one."""


def file() -> Path:
    return progress.state_dir() / "room.json"


def read() -> Membership | None:
    """The membership; None without one. A damaged file counts as none."""
    try:
        return _parsed(json.loads(file().read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        log.warning("%s cannot be read, so this workshop is in no class: %s", file(), error)
        return None


def _parsed(data: dict) -> Membership:
    """Raises TypeError or ValueError for anything that save() did not write."""
    if not isinstance(data, dict):
        raise ValueError("not an object")
    names = {one.name: one.type for one in fields(Membership)}
    found = Membership(**{name: value for name, value in data.items() if name in names})
    for name, kind in names.items():
        expected = getattr(kind, "__origin__", kind)
        if type(getattr(found, name)) is not expected:
            raise ValueError(f"{name} is not valid")
    return found


def save(new: Membership) -> None:
    """Begin a membership. Raises OSError."""
    with progress.state_lock("room"):
        _write(new)


def change(device: str, update: Callable[[Membership], dict]) -> Membership:
    """Save the values that `update` returns for the membership of this device.

    Raises MembershipEnded if the file has another membership now, or none. If the file cannot be
    written, log a warning and continue.
    """
    with progress.state_lock("room"):
        old = read()
        if old is None or old.device != device:
            raise MembershipEnded
        new = replace(old, **update(old))
        if new != old:
            try:
                _write(new)
            except OSError as error:
                log.warning("The class: %s", atomic_write.explain_os_error(error))
    return new


def forget() -> None:
    """Leave the class. Raises OSError."""
    with progress.state_lock("room"):
        file().unlink(missing_ok=True)


def is_held(what: str, lesson: Lesson) -> bool:
    """Whether an instructor holds back the "hints" or the "solutions" of this lesson."""
    found = read()
    return found is not None and found.holds(what, lesson)


def may_read_solution(lesson: Lesson, known: Progress | None = None) -> bool:
    """Whether the solution is open: after a green exercise, unless an instructor holds it back.

    What a student has opened stays open. `known` is the progress, if it was read already.
    """
    known = progress.of(lesson) if known is None else known
    return known.is_read or (known.was_green and not is_held("solutions", lesson))


def _write(new: Membership) -> None:
    atomic_write.write(file(), json.dumps(asdict(new)).encode(), permissions=0o600)
