"""What a lesson's page can play instead of the worked example, and its source."""

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.course.source_code import Source, find_class, find_demo_source
from lessons.workshop.course.subjects import resolve
from lessons.workshop.judge.study.compared_mistake import is_playable
from lessons.workshop.member import membership
from lessons.workshop.page.json_answers import Refused

EXAMPLE = "example"


def check_target(lesson: Lesson, name: str, shows_code: bool = True) -> None:
    """Raise Refused if `name` is not "exercise", "solution" or "mistake:NAME" of this lesson.

    With `shows_code`, also if the student may not read that code.
    """
    if not is_playable(lesson):
        raise Refused(f"The exercise of lesson {lesson.number} is a test, not a consumer.")
    mistakes = (f"mistake:{one.name}" for one in read_mistakes(lesson))
    if name not in ("exercise", "solution", *mistakes):
        raise Refused(f"Lesson {lesson.number} has no {name!r} to play.")
    if name == "solution" and shows_code and not membership.may_read_solution(lesson):
        if membership.is_held("solutions"):
            raise Refused(membership.NOT_RELEASED)
        raise Refused(
            "You can use the solution once your exercise was green, or once you have read it."
        )


def target_source(lesson: Lesson, name: str) -> Source:
    """The code of the target: the whole file, or the class of a mistake. Raises Refused.

    Raises OSError or ValueError if the file cannot be read.
    """
    if name == EXAMPLE:
        return find_demo_source(lesson.demo)
    check_target(lesson, name)
    target = resolve(lesson, name)
    if name.startswith("mistake:"):
        return find_class(target.file, target.name)
    return Source(target.file, 1, target.text().rstrip())
