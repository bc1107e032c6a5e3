"""What a lesson's page shows of the student's progress: the exercise panel."""

import hashlib
from pathlib import Path

from lessons.workshop.course import lesson_index
from lessons.workshop.course.diagnoses import Diagnosis, finding_from_json
from lessons.workshop.course.diagnoses import catalogue as diagnoses
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.source_code import Source
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.recording.transcript import render
from lessons.workshop.judge.verdict import further_red_text
from lessons.workshop.member import membership
from lessons.workshop.member.protocol import SWITCHES
from lessons.workshop.page.exercise.task import todos
from lessons.workshop.page.lesson_list import is_optional
from lessons.workshop.page.markup import code_to_html, inline_code_to_html, markdown_to_html
from lessons.workshop.page.transcript_markup import transcript_to_html
from lessons.workshop.student import exercise_copies, progress
from lessons.workshop.student.progress import Progress


def exercise_context(found: Lesson, known: Progress | None = None) -> dict:
    """The last verdict, hints, the solution and the next lesson."""
    known = progress.of(found) if known is None else known
    verdict = {
        "lesson": found,
        "exercise": short_path(found.exercise),
        "todos": todos(found),
        "state": known.state,
        "verdict": _with_html_claims(known.verdict or {}),
        **_findings(known.verdict or {}),
    }
    return verdict | _help(found, known)


def _with_html_claims(verdict: dict) -> dict:
    outcomes = verdict.get("outcomes", ())
    claims = [{**outcome, "claim": inline_code_to_html(outcome["claim"])} for outcome in outcomes]
    return {**verdict, "outcomes": claims}


def source_digest(source: Source) -> str:
    """A digest that changes with the source, so a page can find out whether it shows an old one."""
    return hashlib.sha256(f"{source.place}\n{source.text}".encode()).hexdigest()[:16]


def _findings(verdict: dict) -> dict:
    """The first finding in full, and how many more claims are red."""
    outcomes = verdict.get("outcomes", ())
    found = [verdict.get("problem"), *(outcome["finding"] for outcome in outcomes)]
    findings = list(filter(None, found))
    if not findings:
        return {}
    finding = findings[0]
    title = _title(finding)
    others = sum(outcome["state"] == "red" for outcome in outcomes) - 1
    return {
        "finding": finding,
        "title": title,
        "where": finding_from_json(finding).where,
        "promise": finding.get("promise", ""),
        "steps": finding.get("conversation", ""),
        "detail": [(line, line.startswith("≠")) for line in finding["detail"].splitlines()],
        "diagnosis": _diagnosis(finding),
        "transcript": _transcript(outcomes, finding),
        "others": further_red_text(others) if others > 0 else "",
    }


def _transcript(outcomes, finding: dict) -> dict | None:
    for outcome in outcomes:
        if outcome["finding"] == finding and outcome["transcript"]:
            events = map(Event.from_json, outcome["transcript"])
            return {
                "claim": inline_code_to_html(outcome["claim"]),
                "events": transcript_to_html(render(events)),
            }
    return None


def _help(found: Lesson, known: Progress) -> dict:
    backup = exercise_copies.latest_backup(found)
    held = [what for what in SWITCHES if membership.is_held(what)]
    may_read = membership.may_read_solution(found, known)
    upcoming = _upcoming(found) if known.is_done else None
    return {
        "not_released": membership.NOT_RELEASED,
        "held": held,
        "hints_are_held": "hints" in held,
        "solution_is_held": "solutions" in held,
        "version": known.version,
        "hints": [markdown_to_html(hint) for hint in found.hints[: known.hints]],
        "hints_in_all": len(found.hints),
        "solution": _solution(found) if may_read else None,
        "is_missing": not found.exercise.exists(),
        "is_read": known.standing == "read",
        "backup": backup and short_path(backup),
        "upcoming": upcoming,
        "upcoming_is_optional": upcoming is not None and is_optional(upcoming),
    }


def _upcoming(found: Lesson) -> Lesson | None:
    """The next of today's lessons, or of all. After the last one, the first that is not done."""
    some = [*membership.todays_lessons(), *lesson_index.lessons()]
    later = (one for one in some if one.number > found.number)
    if upcoming := next(later, None):
        return upcoming
    skipped = progress.next_lesson()
    return skipped if skipped != found else None


def _solution(found: Lesson):
    return code_to_html(found.solution.read_text(encoding="utf-8").rstrip(), "python")


def _diagnosis(finding: dict) -> Diagnosis | None:
    """None if the finding was saved by another version of the course."""
    return diagnoses().get(finding["diagnosis"])


def _title(finding: dict) -> str:
    diagnosis = _diagnosis(finding)
    return diagnosis.title if diagnosis else finding["diagnosis"]


def short_path(file: Path) -> str:
    """The path as a student types it in the project's folder."""
    inside = file.is_relative_to(lesson_index.PROJECT_DIR)
    return (file.relative_to(lesson_index.PROJECT_DIR) if inside else file).as_posix()
