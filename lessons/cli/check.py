"""`lesson check`: one verdict, for a person or for a program."""

from pathlib import Path

from django.core.management.base import CommandError

from lessons.core import progress
from lessons.core.catalogue import Lesson
from lessons.judge.runner import CourseFault, judge
from lessons.judge.verdict import Verdict
from lessons.playback.target import UnknownTarget


def check(screen, lesson: Lesson, target: str, as_json: bool, junit: str | None) -> int:
    """Judge, draw, remember; 0 when green, 1 when red. `screen` opens the console."""
    verdict = judged(lesson, target, meanwhile=screen)  # Rich is loaded while the checks run
    console = screen()
    if target == "exercise":
        progress.keep_verdict(lesson, verdict)
    if junit:
        _write(junit, verdict.as_junit())
    if as_json:
        import json

        from lessons.cli.screen import print_text

        print_text(console, json.dumps(verdict.as_json(), indent=2))
    else:
        from lessons.cli.read import draw_notice
        from lessons.cli.verdict_text import draw_next, draw_verdict

        draw_verdict(console, lesson, verdict)
        if target == "exercise":
            draw_next(console, lesson, verdict)
            draw_notice(console, lesson)
    return 0 if verdict.green else 1


def judged(lesson: Lesson, target: str = "exercise", meanwhile=lambda: None) -> Verdict:
    """The verdict. Raises CommandError where there is none."""
    try:
        return judge(lesson, target, meanwhile=meanwhile)
    except UnknownTarget as error:
        raise CommandError(str(error), returncode=2) from None
    except CourseFault as error:
        fault = f"The checks of lesson {lesson.key} are broken, whatever the target:\n{error}"
        raise CommandError(fault, returncode=2) from None


def _write(file: str, text: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"Cannot write {file}: {error.strerror}", returncode=2) from None
