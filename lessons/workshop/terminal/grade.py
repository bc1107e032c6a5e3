"""`lesson grade`: judges a folder of submissions, and reports on the class.

The terminal shows who is green, and the most frequent mistakes. The report has the rest.
"""

from pathlib import Path
from textwrap import shorten

from django.core.management.base import CommandError
from rich.progress import track
from rich.table import Table
from rich.text import Text

from lessons.workshop.course import lesson_index
from lessons.workshop.grading.grading import STATES, ClassReport, judge_all
from lessons.workshop.grading.judging import NOT_JUDGED, Grade
from lessons.workshop.grading.report import SIGNS, write_report
from lessons.workshop.grading.sandbox import find_sandbox
from lessons.workshop.grading.submissions import find_submissions, printable
from lessons.workshop.student.progress import state_dir
from lessons.workshop.terminal.terminal_output import print_paragraph, print_text, short_path

_MAX_LINES = 10  # of each list in the terminal; the page has all of them
_MAX_NAMES = 60  # characters of the names of those who make a mistake
_COLOURS = dict(zip(STATES, ("green", "red", "yellow", "yellow"), strict=True))
_WIDE_CELL = 7  # columns of "✗ 3/7"


def grade(console, folder: str, lessons: list[str], output: str | None) -> int:
    """Judge the submissions in `folder` for these lessons, or all, and write the report.

    Returns 0 if each has a verdict or is unchanged, 1 if one could not be judged. Ctrl-C stops
    without a report.
    """
    asked = list(dict.fromkeys(lesson_index.find(name) for name in lessons))
    source = Path(folder)
    name = source.resolve().stem or "class"
    target = Path(output) if output else state_dir() / "grades" / name
    if target.resolve().is_relative_to(source.resolve()):
        fault = f"{target} is inside {source}. Choose another folder: --output FOLDER"
        raise CommandError(fault, returncode=2)
    found, left_out = find_submissions(source, asked)
    if not found:
        wanted = ", ".join(f"{one.number} {one.slug}" for one in asked)
        text = f"{source.name} holds no submission{wanted and f' for lesson {wanted}'}."
        first = "".join(f" {one.path}: {one.reason}." for one in left_out[:1])
        raise CommandError(text + first, returncode=2)
    sandbox = find_sandbox()
    if sandbox.warning:
        print_paragraph(console, Text("Warning  ", "yellow"), sandbox.warning)
    options = {"transient": True, "disable": not console.is_terminal, "console": console}
    grades = list(track(judge_all(found, sandbox), "Judging", len(found), **options))
    shown = printable(source.resolve().name)
    report = ClassReport(shown, tuple(grades), tuple(left_out), sandbox.warning)
    files = write_report(report, target)
    _print_report(console, report)
    for file in files:
        print_text(console, short_path(file), "dim")
    return 0 if report.is_complete else 1


def _print_report(console, report: ClassReport) -> None:
    console.print()
    console.print(_table(console, report))
    console.print()
    counts = [f"{count} {state}" for state, count in report.counts.items()]
    print_text(console, f"Submissions: {len(report.grades)} ({', '.join(counts)})", "bold")
    for mistake in sorted(report.mistakes, key=lambda it: -it["count"])[:_MAX_LINES]:
        text = ", ".join(filter(None, (mistake["headline"], mistake["difference"])))
        students = shorten(mistake["students"], _MAX_NAMES, placeholder=" …")
        print_paragraph(console, f"  {mistake['lesson'].number:>2}  ", f"{text} ({students})")
    without = [(it.submission.path, it.message) for it in report.grades if it.state == NOT_JUDGED]
    _print_list(console, "Not judged", without)
    _print_list(console, "Left out", sorted(report.left_out, key=lambda one: not one.is_doubtful))
    console.print()


def _print_list(console, title: str, pairs) -> None:
    if pairs:
        console.print()
        print_text(console, title, "bold yellow")
    for path, reason in pairs[:_MAX_LINES]:
        print_text(console, f"  {path}: {reason}")


def _table(console, report: ClassReport) -> Table:
    """A row for each student, a column for each lesson. It fits into 80 columns."""
    is_wide = console.width >= 16 + (_WIDE_CELL + 1) * len(report.lessons)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    columns = {"no_wrap": True, "overflow": "ellipsis"}
    table.add_column("Student", **columns, ratio=1, min_width=12)
    for lesson in report.lessons:
        table.add_column(f"{lesson.number:>2}", **columns, min_width=_WIDE_CELL if is_wide else 2)
    for student, grades in report.rows:
        table.add_row(Text(student), *(_cell(grade, is_wide) for grade in grades))
    return table


def _cell(one: Grade | None, is_wide: bool) -> Text:
    if one is None:
        return Text("")
    green, claims = one.claims
    shown = f"{green}/{claims}" if claims else one.state
    return Text(f"{SIGNS[one.state]} {shown if is_wide else ''}", _COLOURS[one.state])
