"""What a workshop reports about a lesson: the standing, the verdict, the code if it is shared."""

from lessons.workshop.course.diagnoses import catalogue as diagnoses
from lessons.workshop.course.lesson_index import UnknownLesson, find
from lessons.workshop.course.subjects import resolve
from lessons.workshop.member import protocol
from lessons.workshop.member.protocol import MAX_LABEL, MAX_TEXT, Standing
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
    found = Standing(lesson.slug, known.standing, known.was_green, known.hints)
    code = resolve(lesson).text()
    if shares_code and 0 < len(code) <= protocol.MAX_CODE:
        found.code = _storable(code)
    if known.standing == "red" and is_unedited(lesson):
        found.state = "unchanged"
    elif known.verdict:
        _add_verdict(found, known.verdict)
    return found


def _add_verdict(standing: Standing, verdict: dict) -> None:
    """Add the claims with their states, and the first finding."""
    outcomes = verdict.get("outcomes", ())
    standing.claims = [
        protocol.Claim(_storable(one["claim"], MAX_LABEL), one["state"])
        for one in outcomes[: protocol.MAX_CLAIMS]
    ]
    findings = [verdict.get("problem"), *(one["finding"] for one in outcomes)]
    if finding := next(filter(None, findings), None):
        known = diagnoses().get(finding["diagnosis"])  # another version may have saved it
        title = known.title if known else finding["message"]
        standing.diagnosis = _storable(finding["diagnosis"], MAX_LABEL)
        standing.title = _storable(title, MAX_LABEL)
        standing.message = _storable(finding["message"], MAX_TEXT)
        standing.detail = _storable(finding["detail"], MAX_TEXT)


def _storable(text: str, length: int | None = None) -> str:
    """The text, cut, with U+FFFD for what no database can store: U+0000 and half characters."""
    text = text[:length].replace("\0", "\ufffd")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
