"""Writes the report on a class into files, each for other programs."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

from lessons.workshop.grading.class_report import ClassReport, first_message
from lessons.workshop.grading.grading import Grade
from lessons.workshop.grading.report_page import as_html
from lessons.workshop.setup import atomic_write

_FORMULA = ("=", "+", "-", "@")
_COLUMNS = (
    *("student", "lesson", "title", "file", "state"),
    *("claims green", "claims", "seconds", "diagnosis", "message"),
)


def write_report(report: ClassReport, folder: Path) -> list[Path]:
    """Write all files of the report, and return their paths. Raises OSError.

    Other files in the folder stay.
    """
    contents: dict[str, Callable[[ClassReport], str]] = {
        "report.html": as_html,
        "report.csv": as_csv,
        "report.json": as_json,
    }
    return [_write(folder / name, content(report)) for name, content in contents.items()]


def _write(file: Path, text: str) -> Path:
    atomic_write.write(file, text.encode(errors="backslashreplace"))
    return file


def as_json(report: ClassReport) -> str:
    """The whole report, for programs."""
    return json.dumps(report.as_json(), indent=1) + "\n"


def as_csv(report: ClassReport) -> str:
    """A row for each submission, then a row for each file that was left out."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for grade in report.grades:
        writer.writerow(map(safe_cell, _row(grade)))
    for one in report.left_out:
        left_out = {"file": one.path, "state": "left out", "message": one.reason}
        writer.writerow(safe_cell(left_out.get(name, "")) for name in _COLUMNS)
    return file.getvalue()


def _row(grade: Grade) -> tuple:
    submission, verdict = grade.submission, grade.verdict
    return (
        *(submission.student, submission.lesson.number, submission.lesson.slug, submission.path),
        *(grade.result.state, *(grade.claims if verdict else ("", ""))),
        *(f"{verdict.seconds:.3f}" if verdict else "", grade.diagnosis, first_message(grade)),
    )


def safe_cell(value) -> str:
    """A cell that no spreadsheet takes for a formula: OWASP, "CSV Injection"."""
    text = " ".join(str(value).split())
    return f"'{text}" if text.startswith(_FORMULA) else text
