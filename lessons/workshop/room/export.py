"""A table of a class for a spreadsheet: how far each student is in each lesson."""

from collections.abc import Iterable

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.grading.report import csv_text
from lessons.workshop.room.models import Class

COLUMNS = ("student", "number", "slug", "state", "was green", "hints", "last progress", "mistake")


def as_csv(found: Class) -> str:
    return csv_text([COLUMNS, *_rows(found)])


def _rows(found: Class) -> Iterable[tuple]:
    """A row for each lesson that a student has begun, and one for a student without any."""
    for student in found.students.order_by("number"):
        standings = {one.lesson: one for one in student.standings.defer("claims", "detail", "code")}
        if not standings:
            yield (student.name, "", "", "new", "no", 0, "", "")
        for lesson in lessons():
            if one := standings.get(lesson.slug):
                was_green = "yes" if one.was_green else "no"
                facts = (one.state, was_green, one.hints, f"{one.changed:%Y-%m-%d %H:%M:%S}")
                yield (student.name, lesson.number, lesson.slug, *facts, one.title)
