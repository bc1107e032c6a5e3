"""`lesson grade`: judges a folder of submissions, and reports on the class."""

from collections.abc import Sequence
from pathlib import Path

from django.core.management.base import CommandError
from rich.cells import cell_len
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from lessons.workshop.course import lesson_index
from lessons.workshop.course.diagnoses import diagnosis
from lessons.workshop.grading.class_mistakes import ClassMistake
from lessons.workshop.grading.class_report import ClassReport, first_message
from lessons.workshop.grading.grading import Grade, Grading, JudgeKilled
from lessons.workshop.grading.report_files import write_report
from lessons.workshop.grading.sandbox import Sandbox, find_sandbox
from lessons.workshop.grading.submission_folder import (
    Submission,
    SubmissionFolder,
    UnreadableFolder,
    open_submissions,
)
from lessons.workshop.setup.virtual_environment import INTERRUPTED
from lessons.workshop.student.progress import state_dir
from lessons.workshop.terminal.terminal_output import (
    STATE_SIGNS,
    print_paragraph,
    print_text,
    short_path,
)

_MAX_MISTAKES = 10  # in the terminal; the page has all of them
_MAX_LEFT_OUT = 10
_MAX_STEPS = 200  # characters of a conversation
_SIGNS = {**STATE_SIGNS, "not judged": ("?", "yellow")}
_WIDE_CELL = 8  # columns of "✗ 3/7"


def grade(console, folder: str, lessons: list[str], output: str | None, again: bool) -> int:
    """Judge the submissions in `folder` for these lessons, or all, and write the report.

    Returns 0 if each has a verdict, red or green, 1 if one could not be judged, 130 after Ctrl-C.
    """
    asked = list(dict.fromkeys(lesson_index.find(name) for name in lessons))
    source = Path(folder)
    target = Path(output) if output else state_dir() / "grades" / _name_of(source)
    if target.resolve().is_relative_to(source.resolve()):
        fault = f"{target} is inside {source}. Choose another folder: --output FOLDER"
        raise CommandError(fault, returncode=2)
    sandbox = find_sandbox()
    if sandbox.warning:
        print_paragraph(console, Text("Warning  ", "yellow"), sandbox.warning)
    try:
        with open_submissions(source, asked) as found:
            _refuse_nothing(found)
            grades = _judge(console, found.submissions, sandbox, again)
            if grades is None:
                return INTERRUPTED
            report = ClassReport.of(found, grades, sandbox.warning)
            files = write_report(report, target)  # it reads the submissions again
    except UnreadableFolder as error:
        raise CommandError(str(error), returncode=2) from None
    except JudgeKilled as error:
        cure = "The verdicts so far are kept. Run the command again to go on."
        raise CommandError(f"{error.__doc__} {cure}", returncode=1) from None
    _print_report(console, report)
    _print_files(console, files)
    return 0 if report.is_complete else 1


def _name_of(source: Path) -> str:
    return source.resolve().stem or "class"


def _refuse_nothing(found: SubmissionFolder) -> None:
    """Raise CommandError if there is not a submission: what was left out says why."""
    if found.submissions:
        return
    first = "".join(f" {one.path}: {one.reason}." for one in found.left_out[:1])
    raise CommandError(f"{found.name} holds no submission.{first}", returncode=2)


def _judge(
    console, submissions: Sequence[Submission], sandbox: Sandbox, again: bool
) -> list[Grade] | None:
    """The grades, or None after Ctrl-C. The verdicts that were made are kept."""
    grades: list[Grade] = []
    kept = state_dir() / "verdicts"
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[student]}"),
    )
    with Grading(submissions, sandbox, kept, again) as grading:
        bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        try:
            with bar:
                task = bar.add_task("Judging", total=len(submissions), student="")
                for one in grading:
                    grades.append(one)
                    bar.update(task, advance=1, student=one.submission.student[:30])
        except KeyboardInterrupt:
            print_text(console, "Stopping. The submissions in progress are judged to their end…")
            count = f"{grading.stop()} of {len(submissions)}"
            print_text(console, f"{count} are judged and kept. Run the command again to go on.")
            return None
    return grades


def _print_report(console, report: ClassReport) -> None:
    console.print()
    draw = _table_of_lesson if len(report.lessons) == 1 else _matrix
    console.print(draw(console, report))
    console.print()
    counts = [f"{report.count(state)} {state}" for state in ("green", "red", "not judged")]
    print_text(console, f"{len(report.grades)} submissions: {', '.join(counts)}", "bold")
    if same := sum(bool(grade.same_as) for grade in report.grades):
        print_text(console, f"{same} with the same bytes as another: judged once", "dim")
    for mistake in _most_frequent(report)[:_MAX_MISTAKES]:
        _print_mistake(console, mistake)
    more = len(report.mistakes) - _MAX_MISTAKES
    if more > 0:
        print_text(console, f"\n{more} more mistakes are in the page.", "dim")
    _print_without_verdict(console, report)


def _most_frequent(report: ClassReport) -> list[ClassMistake]:
    return sorted(report.mistakes, key=lambda mistake: -len(mistake.grades))


def _table_of_lesson(console, report: ClassReport) -> Table:
    """A row for each student of one lesson."""
    [lesson] = report.lessons
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = min(max(map(cell_len, report.students)), console.width // 4)
    widths = {
        "Student": max(names, 7),
        f"{lesson.number} {lesson.slug}": 12,
        "Claims": 6,
        "Time": 6,
    }
    widths["First mistake"] = max(console.width - sum(widths.values()) - 2 * len(widths), 10)
    for head, width in widths.items():
        justify = "right" if head in ("Claims", "Time") else "left"
        table.add_column(head, width=width, justify=justify, no_wrap=True, overflow="ellipsis")
    for one in report.grades:
        state = one.result.state
        sign, colour = _SIGNS[state]
        green, claims = one.claims
        table.add_row(
            Text(one.submission.student),
            Text(f"{sign} {state}", colour),
            f"{green}/{claims}" if claims else "",
            f"{one.verdict.seconds:.1f} s" if one.verdict else "",
            Text(_first_mistake(one)),
        )
    return table


def _first_mistake(one: Grade) -> str:
    return diagnosis(one.diagnosis).title if one.diagnosis else first_message(one)


def _matrix(console, report: ClassReport) -> Table:
    """A row for each student, a column for each lesson. It fits into 80 columns."""
    is_wide = console.width >= 16 + _WIDE_CELL * len(report.lessons)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("Student", no_wrap=True, overflow="ellipsis", ratio=1)
    for lesson in report.lessons:
        head = f"{lesson.number:>2}"
        table.add_column(head, no_wrap=True, min_width=_WIDE_CELL - 1 if is_wide else 2)
    for student, grades in report.by_student.items():
        cells = [_cell(grades.get(lesson), is_wide) for lesson in report.lessons]
        table.add_row(Text(student), *cells)
    return table


def _cell(one: Grade | None, is_wide: bool) -> Text:
    if one is None:
        return Text("")
    sign, colour = _SIGNS[one.result.state]
    green, claims = one.claims
    return Text(f"{sign} {green}/{claims}" if is_wide and claims else f" {sign}", colour)


def _print_mistake(console, mistake: ClassMistake) -> None:
    console.print()
    label = Text(f"Lesson {mistake.lesson.number}  ", "bold red")
    print_paragraph(console, label, mistake.headline, "bold")
    print_paragraph(console, "  Students  ", ", ".join(mistake.students))
    if mistake.conversation:
        print_paragraph(console, "  Steps     ", mistake.conversation[:_MAX_STEPS])
    print_paragraph(console, "  Cure      ", mistake.diagnosis.cure)
    for note in mistake.notes:
        print_paragraph(console, "  Teach     ", note)


def _print_without_verdict(console, report: ClassReport) -> None:
    """List what has no verdict: it is neither red nor green."""
    if report.not_judged:
        console.print()
        print_text(console, "Not judged", "bold yellow")
        for one in report.not_judged:
            print_text(console, f"  {one.submission.path}: {first_message(one)}")
    if report.left_out:
        console.print()
        print_text(console, "Left out", "bold yellow")
        first = sorted(report.left_out, key=lambda one: not one.is_doubtful)
        for one in first[:_MAX_LEFT_OUT]:
            print_text(console, f"  {one.path}: {one.reason}")
        if (more := len(report.left_out) - _MAX_LEFT_OUT) > 0:
            print_text(console, f"  {more} more are in the page", "dim")


def _print_files(console, files: list[Path]) -> None:
    console.print()
    for file in files:
        print_text(console, short_path(file), "dim")
