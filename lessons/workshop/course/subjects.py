"""The subjects of a lesson: what can be judged or played, by name."""

from pathlib import Path

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.course.source_code import UnknownName, find_source
from lessons.workshop.engine.subject import Subject


class UnknownTarget(LookupError):
    """A name that is not "exercise", "solution", "mistake:NAME", a qualified name or a file."""


def exercise(lesson: Lesson, title: str, file: Path, source: str | None = None) -> Subject:
    """A version of the lesson's exercise: this file, or `source` instead of its text."""
    return _mounted(lesson, title, file, lesson.exercise_name, lesson.exercise_base, source)


def demo(lesson: Lesson, name: str) -> Subject:
    """The consumer or application with that qualified name. Raises UnknownTarget."""
    try:
        file = find_source(name).file
    except UnknownName as error:
        raise UnknownTarget(str(error)) from None
    module, _, attribute = name.rpartition(".")
    return _mounted(lesson, name, file, attribute, module=module)


def resolve(lesson: Lesson, target: str = "exercise") -> Subject:
    """The subject of that name, a path or a qualified name. Raises UnknownTarget."""
    kind, _, name = target.partition(":")
    if target == "exercise":
        return exercise(lesson, target, lesson.exercise)
    if target == "solution":
        return exercise(lesson, target, lesson.solution)
    if kind == "mistake" and name:
        known = [one.name for one in read_mistakes(lesson)]
        if name not in known:
            raise UnknownTarget(
                f"Lesson {lesson.number} has no mistake {name}. It has: {', '.join(known)}."
            )
        return _mounted(lesson, target, lesson.mistakes, name)
    file = Path(target).resolve()
    if not file.is_file():
        raise UnknownTarget(
            f"There is no file {target!r}. Write exercise, solution, mistake:NAME or a file's path."
        )
    return exercise(lesson, target, file)


def _mounted(lesson: Lesson, *names, **more) -> Subject:
    return Subject(
        *names,
        path=lesson.path,
        route=lesson.route,
        stack=lesson.stack,
        application=lesson.application,
        issuer=(lesson.stack or lesson.demo).rpartition(".")[0],
        **more,
    )
