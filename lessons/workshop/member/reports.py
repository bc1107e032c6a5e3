"""What a workshop reports about a lesson: the state, the verdict, and the code if it is shared."""

import json
from collections.abc import Iterator

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.subjects import resolve
from lessons.workshop.member.protocol import MAX_HINTS, InvalidFrame, parse_student_frame
from lessons.workshop.student.progress import Progress


def make_report(lesson: Lesson, known: Progress, shares_code: bool) -> dict:
    """The frame of a report, with sequence 1. The room accepts it.

    If the room would refuse the whole verdict, because a student's program can print and send
    anything, the report leaves out what is long: first the transcripts, at last the verdict.
    """
    report = {
        "type": "report",
        "sequence": 1,
        "lesson": lesson.slug,
        "state": known.state,
        "was_green": known.was_green,
        "is_read": known.is_read,
        "hints": min(known.hints, MAX_HINTS),
        "verdict": None,
        "code": _judged_code(lesson, known) if shares_code else None,
    }
    for shorter in _shorter(report, known.verdict):
        if _is_accepted(shorter):
            return shorter
    return {**report, "code": None}


def _shorter(report: dict, verdict: dict | None) -> Iterator[dict]:
    if verdict is not None:
        yield {**report, "verdict": verdict}
        outcomes = [{**one, "transcript": []} for one in verdict.get("outcomes", ())]
        brief = {**verdict, "outcomes": outcomes, "output": ""}
        yield {**report, "verdict": brief}
        yield {**report, "verdict": brief, "code": None}
    yield report


def _is_accepted(report: dict) -> bool:
    try:
        # The number may become 16 digits long.
        parse_student_frame(json.dumps({**report, "sequence": 10**15}))
    except (InvalidFrame, ValueError, RecursionError):
        return False
    return True


def _judged_code(lesson: Lesson, known: Progress) -> str | None:
    """The text that the verdict is about; None if the student has saved another one since."""
    target = resolve(lesson)
    is_judged = bool(known.verdict) and known.verdict.get("digest") == target.digest()
    return target.text() or None if is_judged else None
