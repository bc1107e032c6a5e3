"""`lesson verify`: prints what is wrong with the course."""

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module

from django.core.management.base import CommandError
from rich.text import Text

from lessons.workshop.authoring import submissions as written_submissions
from lessons.workshop.authoring.verify import (
    LESSON_ERRORS,
    VerifyReport,
    update_transcripts,
    verify_lesson,
    verify_models,
    verify_submissions,
)
from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.judge.runner import CourseError
from lessons.workshop.terminal.terminal_output import STATE_SIGNS, print_paragraph, print_text


def verify(
    console, lessons: list[str], mutants: bool, models: bool, submissions: bool, update: bool
) -> int:
    """Print a line and the faults of each of these lessons, or of all. Returns 1 for faults.

    With `models` or `submissions`, only mutants of models or written submissions are judged.
    """
    chosen = list(dict.fromkeys(map(lesson_index.find, lessons))) or [*lesson_index.lessons()]
    if submissions and not written_submissions.folder().is_dir():
        fault = "This copy of the course has no written submissions: tests/submissions is missing."
        raise CommandError(fault, returncode=2)
    verify_one = partial(verify_lesson, mutants=mutants)
    if submissions or models:
        verify_one = verify_submissions if submissions else verify_models
    faults, counts = 0, Counter(lessons=len(chosen))
    for report in _run(partial(_report_on, verify_one, update), chosen):
        _print_report(console, report)
        counts += report.counts
        faults += len(report.faults)
    print_text(console, f"\n{_as_text(counts)}, faults: {faults}")
    return 1 if faults else 0


def _run(report_on: Callable, lessons: list[Lesson]) -> Iterator[VerifyReport]:
    """The reports in the order of the lessons. Several lessons are verified at the same time."""
    if len(lessons) < 2:
        yield from map(report_on, lessons)
        return
    method = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    with ProcessPoolExecutor(os.cpu_count(), method, initializer=_set_up_worker) as pool:
        try:
            yield from pool.map(report_on, lessons)
        except (KeyboardInterrupt, GeneratorExit):  # Ctrl-C may arrive outside of this function
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise


def _set_up_worker() -> None:
    import_module("lessons.workshop.judge.preload")  # its players copy what it has loaded
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker without a traceback


def _report_on(verify_one: Callable, update: bool, lesson: Lesson) -> VerifyReport:
    try:
        if update:
            update_transcripts(lesson)
            lesson = Lesson(lesson.folder)  # the old one has the old text in its cache
        return verify_one(lesson)
    except CourseError as fault:
        return VerifyReport(lesson, [f"the checks fail for every target:\n{fault}"])
    except LESSON_ERRORS as fault:
        return VerifyReport(lesson, [str(fault)])


def _print_report(console, report: VerifyReport) -> None:
    sign, colour = STATE_SIGNS["red" if report.faults else "green"]
    label = Text(f"{sign} {report.lesson.number:>2}  ", style=colour)
    print_paragraph(console, label, f"{report.lesson.slug}  {_as_text(report.counts)}")
    for fault in report.faults:
        print_text(console, f"      {fault}".replace("\n", "\n        "))


def _as_text(counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.items())
