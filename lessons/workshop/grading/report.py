"""Writes the report on a class: an HTML page without scripts and other files, and a CSV file."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

from django.template import Context, Engine, Library
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from lessons.workshop.grading.grading import UNCHANGED, ClassReport
from lessons.workshop.grading.judging import NOT_JUDGED, Grade
from lessons.workshop.setup import atomic_write

register = Library()
SIGNS = {"green": "✓", "red": "✗", "not run": "·", UNCHANGED: "=", NOT_JUDGED: "?"}
_COLUMNS = (
    *("student", "lesson", "title", "file", "state"),
    *("claims green", "claims", "seconds", "diagnosis", "message"),
)


def write_report(report: ClassReport, folder: Path) -> list[Path]:
    """Write both files and return their paths. Other files in the folder stay. Raises OSError."""
    texts = {folder / "report.html": as_html(report), folder / "report.csv": as_csv(report)}
    for file, text in texts.items():
        atomic_write.write(file, text.encode(errors="backslashreplace"))
    return [*texts]


def as_html(report: ClassReport) -> str:
    """The page. Each text that comes from a student is escaped, and cut."""
    style, page = (Path(__file__).with_suffix(it).read_text("utf-8") for it in (".css", ".html"))
    template = Engine(builtins=[__name__]).from_string(page)
    return template.render(Context({"style": mark_safe(style), "report": report}))


@register.filter
def sign(state: str) -> str:
    return SIGNS[state]


@register.filter
def code(text: str) -> SafeString:
    """One line of text as HTML: text between backticks becomes code."""
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))


def as_csv(report: ClassReport) -> str:
    """A row for each submission, then a row for each file that was left out."""
    left_out = [
        ("", "", "", it.path, "left out", "", "", "", "", it.reason) for it in report.left_out
    ]
    return csv_text([_COLUMNS, *map(_row, report.grades), *left_out])


def _row(grade: Grade) -> tuple:
    submission, verdict = grade.submission, grade.verdict
    lesson = submission.lesson
    return (
        *(submission.student, lesson.number, lesson.slug, submission.path, grade.state),
        *(grade.claims if grade.outcomes else ("", "")),
        f"{verdict.seconds:.3f}" if verdict else "",
        grade.first[0].diagnosis if grade.first else "",
        grade.message,
    )


def csv_text(rows: Iterable[Iterable]) -> str:
    """A table for a spreadsheet."""
    file = io.StringIO()
    csv.writer(file).writerows(map(_safe_cell, row) for row in rows)
    return file.getvalue()


def _safe_cell(value) -> str:
    """A cell that no spreadsheet takes for a formula: OWASP, "CSV Injection"."""
    text = " ".join(str(value).split())
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
