"""What a workshop reports about a lesson: the standing, the verdict, the code if it is shared."""

import json
from collections.abc import Iterable, Iterator

from lessons.workshop.course.lesson_index import UnknownLesson, find
from lessons.workshop.course.subjects import resolve
from lessons.workshop.member.protocol import (
    MAX_CLAIMS,
    MAX_CODE,
    MAX_FRAME,
    MAX_LABEL,
    MAX_TEXT,
    storable,
)
from lessons.workshop.student.exercise_copies import is_unedited
from lessons.workshop.student.progress import Progress


def make_standing(key: str, known: Progress, shares_code: bool) -> dict | None:
    """The standing of a lesson, as protocol.STANDING describes it. Long texts are cut.

    An exercise that the student has not edited is "unchanged": its verdict says nothing. None if
    the progress is that of a lesson which the course does not have any more.
    """
    try:
        lesson = find(key)
    except UnknownLesson:
        return None
    code = resolve(lesson).text()
    state, verdict = known.standing, known.verdict
    if state == "red" and is_unedited(lesson):
        state, verdict = "unchanged", None
    standing = {
        "lesson": lesson.slug,
        "state": state,
        "was_green": known.was_green,
        "hints": known.hints,
        "verdict": verdict and _brief(verdict),
        "code": storable(code) if shares_code and 0 < len(code) <= MAX_CODE else None,
    }
    # Escapes can make a text six times as long in JSON.
    return standing if len(json.dumps(standing)) <= MAX_FRAME // 2 else {**standing, "code": None}


def _brief(verdict: dict) -> dict:
    """The claims with their states, and the first finding: what the instructor's pages show."""
    outcomes = verdict.get("outcomes", ())
    findings = [verdict.get("problem"), *(one["finding"] for one in outcomes)]
    finding = next(filter(None, findings), {})
    return {
        "claims": [
            {"claim": one["claim"][:MAX_LABEL], "state": one["state"]}
            for one in outcomes[:MAX_CLAIMS]
        ],
        "diagnosis": finding.get("diagnosis", "")[:MAX_LABEL],
        "message": storable(finding.get("message", "")[:MAX_TEXT]),
        "detail": storable(finding.get("detail", "")[:MAX_TEXT]),
    }


def frames_of(standings: Iterable[dict]) -> Iterator[str]:
    """The frames that carry these standings: as few as their sizes allow."""
    waiting: list[dict] = []
    for one in standings:
        if waiting and len(_frame([*waiting, one])) > MAX_FRAME:
            yield _frame(waiting)
            waiting = []
        waiting.append(one)
    if waiting:
        yield _frame(waiting)


def _frame(standings: list[dict]) -> str:
    return json.dumps({"type": "standings", "standings": standings})
