"""What a lesson's page shows of the student's exercise, as JSON values.

Texts that are written in Markdown become HTML here, and texts of the student stay plain text.
"""

from contextlib import suppress
from pathlib import Path

from django.urls import reverse

from lessons.workshop.course import lesson_index
from lessons.workshop.course.diagnoses import advice_of, catalogue, finding_from_json
from lessons.workshop.course.lesson_index import Lesson, lessons
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.subject import read_python
from lessons.workshop.member import membership
from lessons.workshop.member.protocol import SWITCHES
from lessons.workshop.page.lesson_list import is_optional
from lessons.workshop.page.markup import code_to_html, markdown_to_html
from lessons.workshop.student import exercise_copies, progress


def exercise_json(lesson: Lesson, claims: dict | None = None) -> dict:
    """The exercise of `lesson`: its file, its verdict, and the help that the student may have.

    `claims` is what the judge knows so far of the next verdict.
    """
    known = progress.of(lesson)
    verdict, backup = claims or known.verdict, exercise_copies.latest_backup(lesson)
    upcoming = _upcoming(lesson) if known.is_done else None
    may_read = membership.may_read_solution(lesson, known)
    return {
        "state": known.state,
        "isRead": known.standing == "read",
        "path": short_path(lesson.exercise),
        "digest": _file_digest(lesson),
        "verdict": _verdict_json(verdict) if verdict else {},
        "backup": backup and short_path(backup),
        "held": [what for what in SWITCHES if membership.is_held(what)],
        "hints": [markdown_to_html(hint) for hint in lesson.hints[: known.hints]],
        "hintsInAll": len(lesson.hints),
        "solution": code_to_html(read_python(lesson.solution), "python") if may_read else None,
        "upcoming": upcoming and {**_link_to(upcoming), "optional": is_optional(upcoming)},
    }


def _file_digest(lesson: Lesson) -> str:
    with suppress(OSError):
        return exercise_copies.digest_of(lesson.exercise) or ""
    return ""  # the file cannot be read


def _verdict_json(verdict: dict) -> dict:
    """`{"digest", "outcomes", "finding", "output"}`. Repair the finding first: it is the first one.

    The other red claims that fail through the fault of that finding have the state "same".
    """
    first, outcomes = verdict.get("problem"), []
    for outcome in verdict.get("outcomes", ()):
        state, finding = outcome["state"], outcome["finding"]
        if first and finding and finding["diagnosis"] == first["diagnosis"]:
            state = "same"
        first = first or finding
        plays = bool(outcome["transcript"])
        outcomes.append({"claim": outcome["claim"], "state": state, "plays": plays})
    return {
        "digest": verdict.get("digest", ""),
        "outcomes": outcomes,
        "finding": first and finding_json(finding_from_json(first)),
        "output": verdict.get("output", "").strip(),
    }


def finding_json(finding: Finding) -> dict:
    """The finding for a page. Its texts are plain, with code between backticks.

    A finding that another version of the course has saved may have no diagnosis.
    """
    known, seen = map(catalogue().get, (finding.diagnosis, finding.seen))
    is_usual, cause, cure = advice_of(finding) if known else (False, "", "")
    lesson = next((one for one in lessons() if known and one.number == known.lesson), None)
    return {
        "title": (seen or known).title if known else finding.diagnosis,
        "symptom": known.symptom if known and not finding.seen else "",
        "cause": cause,
        "cure": cure,
        "diagnosis": finding.diagnosis,
        "where": finding.where,
        "file": Path(finding.file).name if finding.file else "",
        "line": finding.line,
        "usual": is_usual,
        "detail": finding.detail,
        "promise": finding.promise,
        "steps": finding.conversation,
        "lesson": lesson and _link_to(lesson),
    }


def _link_to(lesson: Lesson) -> dict:
    return {
        "number": lesson.number,
        "title": f"{lesson.number} {lesson.slug}",
        "url": reverse("lesson", args=[lesson.key]),
    }


def _upcoming(lesson: Lesson) -> Lesson | None:
    """The next of today's lessons, or of all. After the last one, the first that is not done."""
    some = [*membership.todays_lessons(), *lessons()]
    if upcoming := next((one for one in some if one.number > lesson.number), None):
        return upcoming
    skipped = progress.next_lesson()
    return skipped if skipped != lesson else None


def short_path(file: Path) -> str:
    """The path as a student types it in the project's folder."""
    inside = file.is_relative_to(lesson_index.PROJECT_DIR)
    return (file.relative_to(lesson_index.PROJECT_DIR) if inside else file).as_posix()
