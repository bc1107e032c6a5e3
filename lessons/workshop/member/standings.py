"""What a workshop reports about a lesson: the standing, the verdict, the code if it is shared."""

from lessons.workshop.course.lesson_index import UnknownLesson, find
from lessons.workshop.course.subjects import resolve
from lessons.workshop.member.protocol import (
    MAX_CLAIMS,
    MAX_CODE,
    MAX_LABEL,
    MAX_TEXT,
    Claim,
    Standing,
    Verdict,
)
from lessons.workshop.student.exercise_copies import is_unedited
from lessons.workshop.student.progress import Progress


def make_standing(key: str, known: Progress, shares_code: bool) -> Standing | None:
    """The standing of a lesson. Long texts are cut.

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
    return Standing(
        lesson=lesson.slug,
        state=state,
        was_green=known.was_green,
        hints=known.hints,
        verdict=verdict and _brief(verdict),
        code=_storable(code) if shares_code and 0 < len(code) <= MAX_CODE else None,
    )


def _brief(verdict: dict) -> Verdict:
    """The claims with their states, and the first finding: what the instructor's pages show."""
    outcomes = verdict.get("outcomes", ())
    findings = [verdict.get("problem"), *(one["finding"] for one in outcomes)]
    finding = next(filter(None, findings), {})
    return Verdict(
        claims=[
            Claim(_storable(one["claim"][:MAX_LABEL]), one["state"])
            for one in outcomes[:MAX_CLAIMS]
        ],
        diagnosis=_storable(finding.get("diagnosis", "")[:MAX_LABEL]),
        message=_storable(finding.get("message", "")[:MAX_TEXT]),
        detail=_storable(finding.get("detail", "")[:MAX_TEXT]),
    )


def _storable(value: str) -> str:
    """The text with U+FFFD for what no database can store: U+0000 and half characters."""
    value = value.replace("\0", "\ufffd")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
