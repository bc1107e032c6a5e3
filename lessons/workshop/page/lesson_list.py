"""The list of lessons: by part, with the student's progress, and the one next step."""

from collections import Counter
from itertools import groupby

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import (
    UNFINISHED,
    IncompleteLesson,
    Lesson,
    UnknownLesson,
)
from lessons.workshop.course.plans import optional_lessons
from lessons.workshop.member import membership
from lessons.workshop.student.progress import Progress

_PROMISES = ("stop", "push", "group", "logout", "chat")  # one lesson of each part


def lesson_list_context(known: dict[str, Progress]) -> dict:
    """All lessons, by part, each with the state of the student's work."""
    rows = [
        _row(lesson, known.get(lesson.key, Progress()).standing)
        for lesson in lesson_index.lessons()
    ]
    to_do = [row for row in rows if row["state"] in ("new", "red") and "incomplete" not in row]
    today = [row for row in to_do if row["lesson"] in membership.todays_lessons()]
    return {
        "promises": [
            row["goal"] for row in rows if row["lesson"].slug in _PROMISES and "goal" in row
        ],
        "parts": [_part(list(some)) for _, some in groupby(rows, lambda row: row["part"])],
        "all": len(rows),
        **_summary(rows),
        "time_left": time_text(sum(row["minutes"] for row in to_do)),
        "next": next(iter(today or to_do), None),
        "manage": lesson_index.MANAGE,
    }


def is_optional(lesson: Lesson) -> bool:
    """Whether the lesson is not one of today's lessons in class. Without those the plan says it."""
    if today := membership.todays_lessons():
        return lesson not in today
    try:
        return lesson in optional_lessons()
    except UnknownLesson:  # another course has no plan
        return False


def time_text(minutes: int) -> str:
    """`6 h 10 min`, `45 min`, or an empty text."""
    hours, rest = divmod(minutes, 60)
    return " ".join(f"{count} {unit}" for count, unit in ((hours, "h"), (rest, "min")) if count)


def _row(lesson: Lesson, state: str) -> dict:
    row = {"lesson": lesson, "state": state, "minutes": 0, "optional": is_optional(lesson)}
    try:
        whole = {"title": lesson.title, "goal": lesson.goal, "minutes": lesson.minutes}
        return row | {"part": lesson.part_title, "app": lesson.app} | whole
    except IncompleteLesson as error:
        return row | {"part": UNFINISHED, "title": lesson.slug, "incomplete": str(error)}


def _part(rows: list[dict]) -> dict:
    apps = {row.get("app") for row in rows}
    return {
        "app": apps.pop() if len(apps) == 1 else None,
        "title": rows[0]["part"],
        "rows": rows,
        **_summary(rows),
    }


def _summary(rows: list[dict]) -> dict:
    states = Counter(row["state"] for row in rows)
    time = time_text(sum(row["minutes"] for row in rows))
    return {"green": states["green"], "read": states["read"], "time": time}
