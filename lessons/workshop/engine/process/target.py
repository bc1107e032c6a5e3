"""Targets: what can be judged, which is the exercise, the solution, a mistake or any file."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.source_code import read_python
from lessons.workshop.engine.world.student_module import mistakes_of


class UnknownTarget(LookupError):
    """A target that is not "exercise", "solution", "mistake:NAME" or an existing file."""


@dataclass(frozen=True)
class Target:
    """A file and the name in it to judge; `source` replaces the file's text for a mutant."""

    title: str
    file: Path
    name: str
    base: str | None = None
    source: str | None = None

    def digest(self) -> str:
        """A digest of the file's text; empty if the file cannot be read."""
        try:
            content = self.file.read_bytes() if self.source is None else self.source.encode()
        except OSError:
            return ""
        return hashlib.sha256(content).hexdigest()

    def text(self) -> str:
        """The text that is judged; empty if the file cannot be read."""
        try:
            return read_python(self.file) if self.source is None else self.source
        except (OSError, SyntaxError, ValueError):
            return ""


def resolve(lesson: Lesson, target: str = "exercise") -> Target:
    """The target of that name. Raises UnknownTarget."""
    name, base = lesson.exercise_name, lesson.exercise_base
    kind, _, mistake = target.partition(":")
    if target == "exercise":
        return Target(target, lesson.exercise, name, base)
    if target == "solution":
        return Target(target, lesson.solution, name, base)
    if kind == "mistake" and mistake:
        if mistake not in mistakes_of(lesson):
            known = ", ".join(mistakes_of(lesson))
            raise UnknownTarget(
                f"Lesson {lesson.number} has no mistake {mistake}. It has: {known}."
            )
        return Target(target, lesson.mistakes, mistake)
    file = Path(target).resolve()
    if not file.is_file():
        raise UnknownTarget(
            f"There is no file {target!r}. Write exercise, solution, mistake:NAME or a file's path."
        )
    return Target(target, file, name, base)
