"""`lesson check`: one verdict, for a person or for a program."""

from json import dumps

from django.core.management.base import CommandError

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.judge.runner import CourseError, judge
from lessons.workshop.judge.verdict import Verdict
from lessons.workshop.student import progress
from lessons.workshop.terminal.lesson_actions import print_update_notice
from lessons.workshop.terminal.terminal_output import print_text
from lessons.workshop.terminal.verdict_text import print_next, print_verdict


def check(console, lesson: Lesson, target: str, json: bool) -> int:
    """Judge, print and save. Returns 0 for green, 1 for red."""
    verdict = judge_or_fail(lesson, target)
    if target == "exercise":
        progress.save_verdict(lesson, verdict)
    if json:
        print_text(console, dumps(verdict.as_json(), indent=2))
    else:
        print_verdict(console, lesson, verdict)
        if target == "exercise":
            print_next(console, lesson, verdict)
            print_update_notice(console, lesson)
    return 0 if verdict.green else 1


def judge_or_fail(lesson: Lesson, target: str = "exercise") -> Verdict:
    """The verdict. Raises UnknownTarget, and CommandError if the checks are broken."""
    try:
        return judge(lesson, target)
    except CourseError as error:
        fault = f"The checks of lesson {lesson.key} fail for every target:\n{error}"
        raise CommandError(fault, returncode=2) from None
