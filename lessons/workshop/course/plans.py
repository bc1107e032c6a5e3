"""Plans for a class: which lessons an instructor teaches when. The file is course/plans.toml."""

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from lessons.workshop.course.lesson_index import Lesson, find, lessons


@dataclass(frozen=True)
class Part:
    """A lesson, or something else that takes time: a break, questions. `begins` is as "09:15"."""

    begins: str
    minutes: int
    title: str
    lesson: Lesson | None = None


@dataclass(frozen=True)
class Session:
    """The parts that follow each other without a longer pause, and the minutes that are left."""

    title: str
    parts: tuple[Part, ...]
    ends: str
    minutes_left: int


@dataclass(frozen=True)
class Plan:
    """The sessions of a class."""

    title: str
    sessions: tuple[Session, ...]

    @property
    def taught(self) -> tuple[Lesson, ...]:
        """The lessons that are taught in class. They need no lesson that is done at home."""
        parts = (part for session in self.sessions for part in session.parts)
        return tuple(part.lesson for part in parts if part.lesson)

    @property
    def at_home(self) -> tuple[Lesson, ...]:
        """All other lessons: students do them by themselves."""
        return tuple(lesson for lesson in lessons() if lesson not in self.taught)

    @property
    def summary(self) -> str:
        """How many lessons are taught, how many are done at home, and their minutes."""
        taught, home = (
            f"{len(some)} lessons, {sum(one.minutes for one in some)} minutes"
            for some in (self.taught, self.at_home)
        )
        return f"In class: {taught}. At home: {home}."


@cache
def plans() -> tuple[Plan, ...]:
    """All plans. Raises UnknownLesson if one names a lesson that does not exist."""
    return tuple(
        Plan(plan["title"], tuple(map(_session, plan["session"]))) for plan in _data()["plan"]
    )


@cache
def optional_lessons() -> tuple[Lesson, ...]:
    """The lessons that no other lesson needs. Raises UnknownLesson."""
    return tuple(map(find, _data()["optional"]))


@cache
def _data() -> dict:
    return tomllib.loads((Path(__file__).with_name("plans.toml")).read_text(encoding="utf-8"))


def _session(data: dict) -> Session:
    time = _time(data["begins"])
    parts = []
    for entry in data["parts"]:
        minutes, _, title = entry.partition(" ")
        lesson = None if title else find(entry)
        if lesson:
            minutes, title = lesson.minutes, lesson.title
        parts.append(Part(f"{time:%H:%M}", int(minutes), title, lesson))
        time += timedelta(minutes=int(minutes))
    left = (_time(data["ends"]) - time) // timedelta(minutes=1)
    return Session(data["title"], tuple(parts), data["ends"], left)


def _time(text: str) -> datetime:
    """That time of any day."""
    return datetime.strptime(text, "%H:%M")
