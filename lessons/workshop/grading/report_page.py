"""The report on a class as one HTML page, without scripts and without other files."""

from pathlib import Path

from django.template import Context, Engine
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from lessons.workshop.course.diagnoses import diagnosis, message_of
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.grading.class_mistakes import ClassMistake
from lessons.workshop.grading.class_report import ClassReport, first_message
from lessons.workshop.grading.grading import Grade

_PAGE = Path(__file__).with_name("report_page.html")
_STYLE = Path(__file__).with_name("report_page.css")
_SIGNS = {"green": "✓", "red": "✗", "not run": "·", "not judged": "?"}
MAX_DETAIL = 4_000  # characters of one finding, and of what the code has printed
MAX_OUTPUT = 1_000


def as_html(report: ClassReport) -> str:
    """The page. Each text that comes from a student is escaped."""
    template = Engine().from_string(_PAGE.read_text(encoding="utf-8"))
    students = list(enumerate(report.students, start=1))
    return template.render(
        Context(
            {
                "style": mark_safe(_STYLE.read_text(encoding="utf-8")),
                "report": report,
                "created": f"{report.created:%Y-%m-%d %H:%M %Z}",
                "green": report.count("green"),
                "red": report.count("red"),
                "mistakes": [_mistake(one, place) for place, one in enumerate(report.mistakes)],
                "rows": [
                    (f"s{number}", student, _cells(report, number, student))
                    for number, student in students
                ],
                "details": [
                    (f"s{number}", student, _details(report, number, student))
                    for number, student in students
                ],
            }
        )
    )


def _anchor(student: int, lesson: Lesson) -> str:
    return f"s{student}-{lesson.number}"


def _cells(report: ClassReport, number: int, student: str) -> list[dict]:
    """A cell for each lesson of the class, even if the student has no submission for it."""
    grades = report.by_student[student]
    return [
        {"anchor": _anchor(number, lesson), **_summary(grades[lesson])} if lesson in grades else {}
        for lesson in report.lessons
    ]


def _summary(grade: Grade) -> dict:
    """The state, the claims and the time of a submission."""
    state = grade.result.state
    green, all_claims = grade.claims
    return {
        "state": state,
        "kind": state.replace(" ", "-"),
        "sign": _SIGNS[state],
        "claims": f"{green}/{all_claims}" if all_claims else "",
        "seconds": f"{grade.verdict.seconds:.1f} s" if grade.verdict else "",
    }


def _details(report: ClassReport, number: int, student: str) -> list[dict]:
    return [
        {"anchor": _anchor(number, lesson), "lesson": lesson, **_summary(grade), **_verdict(grade)}
        for lesson, grade in report.by_student[student].items()
    ]


def _verdict(grade: Grade) -> dict:
    verdict = grade.verdict
    finding = verdict.findings[0] if verdict and verdict.findings else None
    return {
        "file": grade.submission.path,
        "same_as": grade.same_as,
        "message": first_message(grade),
        "outcomes": [
            {"sign": _SIGNS[one.state], "state": one.state, "claim": _code(one.claim)}
            for one in (verdict.outcomes if verdict else ())
        ],
        "detail": finding.detail[:MAX_DETAIL] if finding else "",
        "title": _code(diagnosis(finding.diagnosis).title) if finding else "",
        "steps": finding.conversation[:MAX_DETAIL] if finding else "",
        "output": verdict.output[:MAX_OUTPUT] if verdict else "",
    }


def _mistake(mistake: ClassMistake, place: int) -> dict:
    grade, finding, _ = mistake.example
    return {
        "anchor": f"mistake-{place}",
        "mistake": mistake,
        "headline": _code(mistake.headline),
        "students": ", ".join(mistake.students),
        "symptom": _code(mistake.diagnosis.symptom),
        "cause": _code(mistake.diagnosis.cause),
        "cure": _code(mistake.diagnosis.cure),
        "notes": [_code(note) for note in mistake.notes],
        "example": grade.submission,
        "message": message_of(finding)[:MAX_DETAIL],
        "promise": finding.promise,
        "detail": finding.detail[:MAX_DETAIL],
        "steps": mistake.conversation[:MAX_DETAIL],
        "transcript": mistake.transcript,
        "rows": [_row(row) for row in mistake.rows],
    }


def _row(row: dict) -> dict:
    """The lines of both sides: their code is escaped already."""
    sides = {
        side: {"number": line["number"], "code": mark_safe(line["html"])}
        for side, line in (("right", row["right"]), ("wrong", row["wrong"]))
        if line
    }
    return {**sides, "differs": row["differs"]}


def _code(text: str) -> SafeString:
    """One line of text as HTML: text between backticks becomes code."""
    parts = str(escape(text)).split("`")
    if len(parts) % 2 == 0:
        return mark_safe(escape(text))
    return mark_safe(
        "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
    )
