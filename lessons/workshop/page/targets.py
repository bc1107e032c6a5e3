"""What a lesson's page can play instead of the worked example, and its source."""

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.course.source_code import Source, find_class, find_demo_source
from lessons.workshop.course.subjects import resolve
from lessons.workshop.engine.subject import Subject
from lessons.workshop.judge.study.compared_mistake import is_playable
from lessons.workshop.member import membership

EXAMPLE = "example"
_MISTAKE = "mistake:"


class TargetRefused(ValueError):
    """A target that this page cannot play; the text gives the reason."""


def playable_target(lesson: Lesson, name: str) -> Subject:
    """The target "exercise", "solution" or "mistake:NAME". Raises TargetRefused.

    No code runs: names of mistakes are read from the source.
    """
    if not is_playable(lesson):
        raise TargetRefused(f"The exercise of lesson {lesson.number} is a test, not a consumer.")
    wrong = name.removeprefix(_MISTAKE)
    if name.startswith(_MISTAKE) and wrong in {one.name for one in read_mistakes(lesson)}:
        return resolve(lesson, name)
    if name not in ("exercise", "solution"):
        raise TargetRefused(f"Lesson {lesson.number} has no {name!r} to play.")
    if name == "solution" and not membership.may_read_solution(lesson):
        if membership.is_held("solutions"):
            raise TargetRefused(membership.NOT_RELEASED)
        raise TargetRefused(
            "You can use the solution once your exercise was green, or once you have read it."
        )
    return resolve(lesson, name)


def target_source(lesson: Lesson, name: str) -> Source:
    """The code of the target: the whole file, or the class of a mistake. Raises TargetRefused.

    Raises OSError or ValueError if the file cannot be read.
    """
    if name in ("", EXAMPLE):
        return find_demo_source(lesson.demo)
    target = playable_target(lesson, name)
    if name.startswith(_MISTAKE):
        return find_class(target.file, target.name)
    return Source(target.file, 1, target.text().rstrip())
