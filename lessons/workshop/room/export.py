"""Tables about a class for a spreadsheet: lessons.csv and polls.csv."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable

from django.utils.html import strip_tags

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.grading.report import safe_cell
from lessons.workshop.room.models import Class
from lessons.workshop.room.state import rounds
from lessons.workshop.room.worker import WorkerFailed, read_answer

LESSONS = ("student", "number", "slug", "state", "was green", "hints", "last progress", "mistake")
POLLS = ("question", "lesson", "round", "answer", "votes", "right")


def export_zip(found: Class) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("lessons.csv", _csv(LESSONS, _lesson_rows(found)))
        archive.writestr("polls.csv", _csv(POLLS, _poll_rows(found)))
    return packed.getvalue()


def _lesson_rows(found: Class) -> Iterable[tuple]:
    """A row for each lesson that a student has begun, and one for a student without any."""
    for student in found.students.order_by("number"):
        standings = {one.lesson: one for one in student.standings.defer("verdict", "code")}
        if not standings:
            yield (student.name, "", "", "new", "no", 0, "", "")
        for lesson in lessons():
            if one := standings.get(lesson.slug):
                facts = (
                    one.state,
                    _yes(one.was_green),
                    one.hints,
                    f"{one.changed:%Y-%m-%d %H:%M:%S}",
                )
                yield (student.name, lesson.number, lesson.slug, *facts, one.title)


def _poll_rows(found: Class) -> Iterable[tuple]:
    for poll in found.polls.order_by("pk"):
        votes = rounds(poll)
        try:
            all_votes = {one for answers in votes for one in answers}
            known = read_answer(poll.lesson, poll.question, all_votes) if poll.lesson else None
        except (WorkerFailed, LookupError):
            known = None
        question = strip_tags(poll.text).strip()
        for number, answers in enumerate(votes, start=1):
            for answer, count in sorted(answers.items(), key=lambda one: -one[1]):
                right = _yes(known["grades"][answer]) if known else ""
                words = _in_words(answer, known) if known else answer
                yield question, poll.lesson, number, words, count, right


def _in_words(answer: str, known: dict) -> str:
    """The answer with what the cards say, not their numbers: see worker.py."""
    cards = known["cards"]

    def word(match: re.Match) -> str:
        index = int(match[2])
        return f"{match[1] or ''}{cards[index] if index < len(cards) else '?'};"

    text = re.sub(r"(\d+:)?(\d+)", word, answer)
    return text.replace("|", "never:").strip("; ")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _csv(columns: tuple[str, ...], rows: Iterable[tuple]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows(map(safe_cell, row) for row in rows)
    return file.getvalue()
