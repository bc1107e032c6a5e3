"""`lesson watch`: a verdict at every save, from the judge process that serves the page too."""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from django.core.management.base import CommandError

from lessons.workshop.course.lesson_index import MANAGE, Lesson
from lessons.workshop.judge.daemon import judge_client
from lessons.workshop.judge.verdict import Verdict
from lessons.workshop.terminal.terminal_output import print_text, short_path
from lessons.workshop.terminal.verdict_text import print_verdict

_INTERVAL = 0.1  # seconds between two looks at the file
_MISSING_TIME = 0.5  # seconds; an editor that renames files removes the exercise for a moment


def watch(console, lesson: Lesson) -> int:
    """Judge at every save until Ctrl-C. Returns 0 if the last verdict was green, else 1."""
    verdict = None
    try:
        keeper = judge_client.JudgeKeeper(lambda text: print_text(console, text, style="dim"))
        with keeper, suppress(KeyboardInterrupt):
            for verdict in _verdicts(console, lesson):
                if verdict:
                    _draw(console, lesson, verdict)
                if console.quiet:  # the reader of a pipe has ended
                    break
    except judge_client.JudgeUnavailable as error:
        command = f"{MANAGE} lesson check {lesson.number}"
        fault = f"No judge can be started: {error} To judge once: {command}"
        raise CommandError(fault, returncode=2) from None
    return 0 if verdict and verdict.green else 1


def _verdicts(console, lesson: Lesson) -> Iterator[Verdict | None]:
    """Each verdict, and None if the checks themselves fail."""
    reports = judge_client.Reports(lesson.key)
    reports.ask()
    last_seen = None  # when the exercise was there, until a verdict on it
    while True:
        report = reports.receive(_INTERVAL)
        if report == {}:  # a new judge has taken over
            reports.ask()
        elif report and "fault" in report:
            text = f"The checks of lesson {lesson.key} are broken, whatever the target:"
            print_text(console, f"{text}\n{report['fault']}", style="red")
            yield None
        elif report and "verdict" in report:
            yield Verdict.from_json(report["verdict"])
        if lesson.exercise.exists():
            last_seen = time.monotonic()
        elif last_seen and time.monotonic() - last_seen > _MISSING_TIME:
            last_seen = None
            reports.ask()  # the next save brings another verdict


def _draw(console, lesson: Lesson, verdict: Verdict) -> None:
    if console.is_terminal:
        console.clear()
    print_verdict(console, lesson, verdict, time=f"{datetime.now():%H:%M:%S}")
    print_text(console, f"Watching {short_path(lesson.exercise)}. Ctrl-C ends it.", style="dim")
