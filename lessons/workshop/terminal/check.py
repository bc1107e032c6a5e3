"""`lesson check`: one verdict, for a person or for a program."""

from collections.abc import Callable

from django.core.management.base import CommandError

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.subjects import UnknownTarget
from lessons.workshop.judge.runner import CourseError, judge
from lessons.workshop.judge.verdict import Verdict
from lessons.workshop.student import progress


def check(open_console: Callable, lesson: Lesson, target: str, json: bool) -> int:
    """Judge, print and save. Returns 0 for green, 1 for red.

    The claims are printed before the generated conversations are played.
    """
    printed = 0

    def print_claims(verdict: Verdict) -> None:
        nonlocal printed
        from lessons.workshop.terminal import verdict_text

        printed = verdict_text.print_claims(open_console(), verdict)

    options = {} if json else {"on_claims": print_claims}
    # Rich is loaded while the checks run.
    verdict = judge_or_fail(lesson, target, on_start=open_console, **options)
    console = open_console()
    if target == "exercise":
        progress.save_verdict(lesson, verdict)
    if json:
        from json import dumps

        from lessons.workshop.terminal.terminal_output import print_text

        print_text(console, dumps(verdict.as_json(), indent=2))
        return 0 if verdict.green else 1
    from lessons.workshop.terminal.lesson_actions import print_update_notice
    from lessons.workshop.terminal.verdict_text import print_next, print_verdict

    print_verdict(console, lesson, verdict, printed)
    if target == "exercise":
        print_next(console, lesson, verdict)
        print_update_notice(console, lesson)
    return 0 if verdict.green else 1


def judge_or_fail(lesson: Lesson, target: str = "exercise", **options) -> Verdict:
    """The verdict. Raises CommandError if the target is unknown or the checks are broken."""
    try:
        return judge(lesson, target, **options)
    except UnknownTarget as error:
        raise CommandError(str(error), returncode=2) from None
    except CourseError as error:
        fault = f"The checks of lesson {lesson.key} fail for every target:\n{error}"
        raise CommandError(fault, returncode=2) from None
