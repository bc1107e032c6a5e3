"""The report on a class as data: what its page, its table and its files show."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from lessons.workshop.course.diagnoses import message_of
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.grading.class_mistakes import ClassMistake, class_mistakes
from lessons.workshop.grading.found_files import LeftOut
from lessons.workshop.grading.grading import Grade, course_version
from lessons.workshop.grading.submission_folder import SubmissionFolder

MAX_MESSAGE = 2_000  # characters; a student's code decides how long an exception's text is


@dataclass(frozen=True)
class ClassReport:
    """The grades of a folder, by student and lesson.

    `warning` says what the sandbox lacks on this machine. `created` is the time of the report.
    """

    name: str
    grades: tuple[Grade, ...]
    left_out: tuple[LeftOut, ...]
    warning: str = ""
    created: datetime = field(default_factory=lambda: datetime.now().astimezone())

    @classmethod
    def of(cls, folder: SubmissionFolder, grades: Sequence[Grade], warning: str) -> "ClassReport":
        """The report on the grades, in the order of the folder's submissions."""
        by_submission = {grade.submission: grade for grade in grades}
        ordered = (by_submission.get(one) for one in folder.submissions)
        return cls(folder.name, tuple(filter(None, ordered)), folder.left_out, warning)

    @cached_property
    def students(self) -> list[str]:
        return list(dict.fromkeys(grade.submission.student for grade in self.grades))

    @cached_property
    def lessons(self) -> list[Lesson]:
        found = {grade.submission.lesson for grade in self.grades}
        return sorted(found, key=lambda lesson: lesson.number)

    @cached_property
    def by_student(self) -> dict[str, dict[Lesson, Grade]]:
        """The grades of each student. A student has one grade for a lesson, or none."""
        found: dict[str, dict[Lesson, Grade]] = {student: {} for student in self.students}
        for grade in self.grades:
            found[grade.submission.student][grade.submission.lesson] = grade
        return found

    @cached_property
    def mistakes(self) -> list[ClassMistake]:
        return class_mistakes(self.grades)

    @property
    def not_judged(self) -> list[Grade]:
        return [grade for grade in self.grades if not grade.is_judged]

    @property
    def unmatched(self) -> list[LeftOut]:
        """What may hold a submission, but could not be read, or names no lesson."""
        return [one for one in self.left_out if one.is_doubtful]

    @property
    def is_complete(self) -> bool:
        """Whether each Python file and each archive has a verdict, red or green."""
        return not self.not_judged and not self.unmatched

    def count(self, state: str) -> int:
        return sum(grade.result.state == state for grade in self.grades)

    def as_json(self) -> dict:
        return {
            "folder": self.name,
            "created": self.created.isoformat(timespec="seconds"),
            "course_version": course_version(),
            "contained": not self.warning,
            "warning": self.warning,
            "lessons": [
                {"lesson": one.key, "number": one.number, "title": one.title}
                for one in self.lessons
            ],
            "submissions": [_submission_as_json(grade) for grade in self.grades],
            "mistakes": [_mistake_as_json(mistake) for mistake in self.mistakes],
            "left_out": [one._asdict() for one in self.left_out],
        }


def first_message(grade: Grade) -> str:
    """What to know about a submission first: the first finding, or why it was not judged."""
    if not grade.is_judged:
        return f"{grade.result.reason}: {grade.result.detail}"[:MAX_MESSAGE]
    findings = grade.verdict.findings
    return message_of(findings[0])[:MAX_MESSAGE] if findings else ""


def _submission_as_json(grade: Grade) -> dict:
    verdict = grade.verdict
    outcomes = verdict.outcomes if verdict else ()
    return {
        "student": grade.submission.student,
        "lesson": grade.submission.lesson.key,
        "file": grade.submission.path,
        "same_file_as": grade.same_as or None,
        "sha256": verdict.digest if verdict else None,
        "state": grade.result.state,
        "diagnosis": grade.diagnosis or None,
        "message": first_message(grade),
        "seconds": round(verdict.seconds, 3) if verdict else None,
        "claims": [{"claim": one.claim, "state": one.state} for one in outcomes],
    }


def _mistake_as_json(mistake: ClassMistake) -> dict:
    grade, finding, _ = mistake.example
    return {
        "lesson": mistake.lesson.key,
        "diagnosis": mistake.diagnosis.id,
        "title": mistake.diagnosis.title,
        "cause": mistake.diagnosis.cause,
        "cure": mistake.diagnosis.cure,
        "judged": mistake.judged,
        "students": mistake.students,
        "example": {
            "student": grade.submission.student,
            "file": grade.submission.path,
            "line": finding.line or None,
            "message": message_of(finding)[:MAX_MESSAGE],
        },
        "conversation": mistake.conversation or None,
        "transcript": mistake.transcript,
        "known_as": [one.name for one in mistake.known],
        "notes": mistake.notes,
    }
