"""Everything about a class for other programs and for reading: CSV files, and one HTML page."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db.models import Count, Min, Q
from django.template.loader import render_to_string

from lessons.workshop.course import lesson_index
from lessons.workshop.course.diagnoses import catalogue as diagnoses
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.grading.report_files import safe_cell
from lessons.workshop.room.models import Class, Poll, Report, Standing, Student
from lessons.workshop.room.store import class_state
from lessons.workshop.room.store.board_rows import shown_state
from lessons.workshop.room.worker.orders import WorkerFailed, read_question
from lessons.workshop.setup import atomic_write

_STYLE = Path(__file__).parents[1] / "grading" / "report_page.css"
SIGNS = {"green": "✓", "red": "✗", "read": "●", "new": "○"}
_STANDING_COLUMNS = (
    *("student", "number", "lesson", "slug", "state", "was green", "solution read", "hints"),
    *("reports", "first report", "first green", "last progress", "diagnosis", "finding"),
)
_STUDENT_COLUMNS = (
    *("student", "number", "joined", "lessons green", "lessons red", "solutions read"),
    *("hints", "reports", "last progress"),
)
_POLL_COLUMNS = ("lesson", "question", "asked", "round", "answer", "votes", "right")


@dataclass(frozen=True)
class LessonOfStudent:
    """How far a student is in a lesson, with the times of the reports."""

    student: Student
    lesson: Lesson
    standing: Standing
    reports: int
    first: datetime | None
    first_green: datetime | None

    @property
    def state(self) -> str:
        return shown_state(self.standing)

    @property
    def sign(self) -> str:
        return SIGNS.get(self.state, "?")

    @property
    def title(self) -> str:
        """The title of the diagnosis; what the workshop reported if the course has no such one."""
        known = diagnoses().get(self.standing.diagnosis)
        return known.title if known else self.standing.headline


@dataclass(frozen=True)
class PollAnswer:
    """An answer in one round of a poll. `right` is None if the course could not be asked."""

    poll: Poll
    round: int
    answer: str
    votes: int
    right: bool | None


def write_export(found: Class, folder: Path) -> list[Path]:
    """Write the files of export_files() into a folder, and return their paths. Raises OSError."""
    files = []
    for name, text in export_files(found).items():
        files.append(folder / name)
        atomic_write.write(files[-1], text.encode(errors="replace"))
    return files


def export_files(found: Class) -> dict[str, str]:
    """The text of each file, by its name."""
    rows, answers = list(_lessons_of(found)), list(_answers_of(found))
    return {
        "class.html": _page(found, rows, answers),
        "lessons.csv": _csv(_STANDING_COLUMNS, map(_standing_row, rows)),
        "polls.csv": _csv(_POLL_COLUMNS, map(_poll_row, answers)),
        "students.csv": _csv(_STUDENT_COLUMNS, _student_rows(found, rows)),
    }


def _lessons_of(found: Class) -> Iterable[LessonOfStudent]:
    students = {one.pk: one for one in found.students.order_by("number")}
    times = {
        (row["student"], row["lesson"]): row
        for row in Report.objects.filter(student__school_class=found)
        .values("student", "lesson")
        .annotate(
            count=Count("pk"),
            first=Min("received"),
            first_green=Min("received", filter=Q(state="green")),
        )
    }
    standings = Standing.objects.filter(student__school_class=found)
    by_place = {(one.student_id, one.lesson): one for one in standings}
    for key, student in students.items():
        for lesson in lesson_index.lessons():
            if (standing := by_place.get((key, lesson.slug))) is not None:
                row = times.get((key, lesson.slug), {})
                counted = row.get("count", 0), row.get("first"), row.get("first_green")
                yield LessonOfStudent(student, lesson, standing, *counted)


def _answers_of(found: Class) -> Iterable[PollAnswer]:
    for poll in found.polls.order_by("pk"):
        rounds = class_state.rounds(poll)
        try:
            answers = {answer for votes in rounds for answer in votes}
            grades = read_question(lesson_index.find(poll.lesson), poll.question, answers)["grades"]
        except (WorkerFailed, lesson_index.UnknownLesson):
            grades = {}
        for number, votes in enumerate(rounds, start=1):
            for answer, count in sorted(votes.items(), key=lambda one: (-one[1], one[0])):
                yield PollAnswer(poll, number, answer, count, grades.get(answer))


def _standing_row(row: LessonOfStudent) -> tuple:
    standing = row.standing
    return (
        *(row.student.name, row.student.number, row.lesson.number, row.lesson.slug, row.state),
        *(_yes(standing.was_green), _yes(standing.is_read), standing.hints, row.reports),
        *(_time(row.first), _time(row.first_green), _time(standing.changed)),
        *(standing.diagnosis, row.title),
    )


def _student_rows(found: Class, rows: list[LessonOfStudent]) -> Iterable[tuple]:
    """A row for each student, also for one who has reported nothing."""
    rows_of = defaultdict(list)
    for row in rows:
        rows_of[row.student.pk].append(row)
    for student in found.students.order_by("number"):
        own = rows_of[student.pk]
        states = Counter(row.state for row in own)
        yield (
            *(student.name, student.number, _time(student.joined)),
            *(states["green"], states["red"], sum(row.standing.is_read for row in own)),
            *(sum(row.standing.hints for row in own), sum(row.reports for row in own)),
            _time(max((row.standing.changed for row in own), default=None)),
        )


def _poll_row(one: PollAnswer) -> tuple:
    right = "" if one.right is None else _yes(one.right)
    poll = one.poll
    asked = _time(poll.created)
    return poll.lesson, poll.question, asked, one.round, one.answer, one.votes, right


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _time(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}" if time else ""


def _csv(columns: tuple[str, ...], rows: Iterable[tuple]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows(map(safe_cell, row) for row in rows)
    return file.getvalue()


def _page(found: Class, rows: list[LessonOfStudent], answers: list[PollAnswer]) -> str:
    """The page, without scripts and without other files."""
    lessons = sorted({row.lesson for row in rows}, key=lambda one: one.number)
    cells = {(row.student.pk, row.lesson): row for row in rows}
    students = [
        (student, [cells.get((student.pk, lesson)) for lesson in lessons])
        for student in found.students.order_by("number")
    ]
    return render_to_string(
        "room/export.html",
        {
            "style": _STYLE.read_text(encoding="utf-8"),
            "class": found,
            "lessons": lessons,
            "students": students,
            "rows": rows,
            "mistakes": _mistakes(rows),
            "answers": answers,
        },
    )


def _mistakes(rows: list[LessonOfStudent]) -> list[tuple[str, list[LessonOfStudent]]]:
    """The diagnoses of red exercises with their students, the most frequent first."""
    found: dict[str, list[LessonOfStudent]] = {}
    for row in rows:
        if row.state == "red" and row.title:
            found.setdefault(f"{row.lesson.number} {row.lesson.slug}: {row.title}", []).append(row)
    return sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
