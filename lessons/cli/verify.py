"""`lesson verify`: prints what is wrong with the course."""

from rich.text import Text

from lessons.authoring.verify import (
    LESSON_ERRORS,
    VerifyReport,
    update_transcripts,
    verify_lesson,
)
from lessons.cli.screen import STATE_SIGNS, print_paragraph, print_text
from lessons.core import catalogue
from lessons.core.catalogue import Lesson
from lessons.core.exercise_copies import update_manifest
from lessons.judge.runner import CourseError


def verify(console, lesson: Lesson | None, mutants: bool, update: bool) -> int:
    """Print a line and the faults of each lesson, or of one. Returns 1 if there are faults."""
    reports = []
    for one in [lesson] if lesson else catalogue.lessons():
        reports.append(_report_on(one, mutants, update))
        _print_report(console, reports[-1])
    faults = sum(len(report.faults) for report in reports)
    console.print()
    print_text(console, f"lessons: {len(reports)}, {_counts(reports)}, faults: {faults}")
    return 1 if faults else 0


def _report_on(lesson: Lesson, mutants: bool, update: bool) -> VerifyReport:
    try:
        if update:
            update_transcripts(lesson)
            update_manifest([lesson])
            lesson = Lesson(lesson.folder)  # the old one has the old text in its cache
        return verify_lesson(lesson, mutants)
    except CourseError as fault:
        return VerifyReport(lesson, [f"the checks fail for every target:\n{fault}"])
    except LESSON_ERRORS as fault:
        return VerifyReport(lesson, [str(fault)])


def _print_report(console, report: VerifyReport) -> None:
    sign, colour = STATE_SIGNS["red" if report.faults else "green"]
    label = Text(f"{sign} {report.lesson.number:>2}  ", style=colour)
    print_paragraph(console, label, f"{report.lesson.slug}  {_counts([report])}")
    for fault in report.faults:
        print_text(console, f"      {fault}".replace("\n", "\n        "))


def _counts(reports: list[VerifyReport]) -> str:
    text = f"mistakes: {sum(report.mistakes for report in reports)}"
    if mutants := sum(report.mutants for report in reports):
        equivalent = sum(report.equivalent for report in reports)
        text += f", mutants: {mutants} (equivalent: {equivalent})"
    return text
