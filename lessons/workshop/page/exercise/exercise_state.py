"""What a lesson's page shows of the student's exercise, as JSON values.

Texts that are written in Markdown become HTML here, and texts of the student stay plain text.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from django.urls import reverse

from lessons.workshop.course import lesson_index
from lessons.workshop.course.diagnoses import advice_of, finding_from_json
from lessons.workshop.course.diagnoses import catalogue as diagnoses
from lessons.workshop.course.lesson_index import Lesson, UnknownLesson, find
from lessons.workshop.course.source_code import Source
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.member import membership
from lessons.workshop.member.protocol import SWITCHES
from lessons.workshop.page.lesson_list import is_optional
from lessons.workshop.page.markup import code_to_html, markdown_to_html
from lessons.workshop.student import exercise_copies, progress
from lessons.workshop.student.progress import Progress


def exercise_json(lesson: Lesson, known: Progress | None = None, claims: dict | None = None):
    """The exercise of `lesson`: its file, its verdict, and the help that the student may have.

    `claims` is what the judge knows so far of the next verdict.
    """
    known = progress.of(lesson) if known is None else known
    verdict = claims or known.verdict or {}
    backup = exercise_copies.latest_backup(lesson)
    return {
        "state": known.state,
        "path": short_path(lesson.exercise),
        "digest": _file_digest(lesson),
        "verdict": verdict and {"digest": verdict.get("digest", ""), **_verdict_json(verdict)},
        "backup": backup and short_path(backup),
        **_help(lesson, known),
    }


def _file_digest(lesson: Lesson) -> str:
    with suppress(OSError):
        return exercise_copies.digest_of(lesson.exercise) or ""
    return ""  # the file cannot be read


def _verdict_json(verdict: dict) -> dict:
    """`{"outcomes", "finding", "output"}`. The finding is the first one: repair it first.

    `same` marks the other red claims that fail through the fault of that finding.
    """
    outcomes = verdict.get("outcomes", ())
    found = [verdict.get("problem"), *(outcome["finding"] for outcome in outcomes)]
    first = next(filter(None, found), None)
    return {
        "outcomes": [
            {
                "claim": outcome["claim"],
                "state": outcome["state"],
                "plays": bool(outcome["transcript"]),
                "first": outcome["finding"] is not None and outcome["finding"] == first,
                "same": outcome["state"] == "red" and _is_same(outcome["finding"], first),
            }
            for outcome in outcomes
        ],
        "finding": first and finding_json(finding_from_json(first)),
        "output": verdict.get("output", "").strip(),
    }


def _is_same(finding: dict | None, first: dict | None) -> bool:
    return bool(finding and first and finding["diagnosis"] == first["diagnosis"])


def finding_json(finding: Finding) -> dict:
    """The finding for a page. Its texts are plain, with code between backticks.

    A finding that another version of the course has saved may have no diagnosis.
    """
    known, seen = map(diagnoses().get, (finding.diagnosis, finding.seen))
    is_usual, cause, cure = advice_of(finding) if known else (False, "", "")
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
        "lesson": _lesson_json(known.lesson) if known else None,
    }


def _lesson_json(number: int | None) -> dict | None:
    try:
        lesson = None if number is None else find(number)
    except UnknownLesson:
        return None
    return lesson and {
        "number": lesson.number,
        "title": f"lesson {lesson.number} {lesson.slug}",
        "url": reverse("lesson", args=[lesson.key]),
    }


def _help(lesson: Lesson, known: Progress) -> dict:
    upcoming = _upcoming(lesson) if known.is_done else None
    may_read = membership.may_read_solution(lesson, known)
    return {
        "held": [what for what in SWITCHES if membership.is_held(what)],
        "hints": [markdown_to_html(hint) for hint in lesson.hints[: known.hints]],
        "hintsInAll": len(lesson.hints),
        "solution": _solution(lesson) if may_read else None,
        "isRead": known.standing == "read",
        "upcoming": upcoming
        and {
            "title": f"{upcoming.number} {upcoming.slug}",
            "url": reverse("lesson", args=[upcoming.key]),
            "optional": is_optional(upcoming),
        },
    }


def _upcoming(lesson: Lesson) -> Lesson | None:
    """The next of today's lessons, or of all. After the last one, the first that is not done."""
    some = [*membership.todays_lessons(), *lesson_index.lessons()]
    if upcoming := next((one for one in some if one.number > lesson.number), None):
        return upcoming
    skipped = progress.next_lesson()
    return skipped if skipped != lesson else None


def _solution(lesson: Lesson):
    return code_to_html(lesson.solution.read_text(encoding="utf-8").rstrip(), "python")


def source_digest(source: Source) -> str:
    """A digest that changes with the source, so a page can find out whether it shows an old one."""
    return hashlib.sha256(f"{source.place}\n{source.text}".encode()).hexdigest()[:16]


def short_path(file: Path) -> str:
    """The path as a student types it in the project's folder."""
    inside = file.is_relative_to(lesson_index.PROJECT_DIR)
    return (file.relative_to(lesson_index.PROJECT_DIR) if inside else file).as_posix()
