"""Reports on classes, made without a judge."""

from dataclasses import replace
from datetime import UTC, datetime

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.faults.finding import make_finding
from lessons.workshop.grading.grading import ClassReport, Grade
from lessons.workshop.grading.submission import NOT_JUDGED, TIMED_OUT, SubmissionVerdict
from lessons.workshop.grading.submissions import Submission
from lessons.workshop.judge.verdict import Outcome, Verdict

STOP = find("stop")


def grade(student, diagnosis="", steps="", lesson=STOP, content=None, **finding):
    """A submission that is green, or has this diagnosis."""
    content = lesson.original.read_bytes() if content is None else content
    submission = Submission(student, lesson, f"{student}.py", content)
    outcome = Outcome("test_a", "It ends.", "green")
    if diagnosis:
        found = replace(make_finding(diagnosis), conversation=steps, **finding)
        outcome = replace(outcome, state="red", finding=found)
    rest = Outcome("test_b", "It begins.", "not run" if diagnosis else "green")
    verdict = Verdict(lesson.key, f"{student}.py", (outcome, rest), seconds=0.5)
    return Grade(submission, SubmissionVerdict("green" if verdict.green else "red", verdict))


def not_judged(student, state=NOT_JUDGED):
    result = SubmissionVerdict(state, None, TIMED_OUT, "After 30 s.")
    return Grade(Submission(student, STOP, f"{student}.py", b""), result)


def report(*grades, left_out=(), warning=""):
    created = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
    return ClassReport("class", grades, tuple(left_out), warning, created)
