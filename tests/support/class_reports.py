"""Reports on classes, made without a judge."""

from dataclasses import replace
from datetime import UTC, datetime

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.faults.finding import make_finding
from lessons.workshop.grading.class_report import ClassReport
from lessons.workshop.grading.grading import Grade
from lessons.workshop.grading.submission import NOT_JUDGED, TIMED_OUT, SubmissionVerdict
from lessons.workshop.grading.submission_folder import Submission
from lessons.workshop.judge.verdict import Outcome, Verdict

STOP = find("stop")


def grade(student, diagnosis="", steps="", lesson=STOP, file=None, **finding):
    """A submission that is green, or has this diagnosis."""
    submission = Submission(student, lesson, f"{student}.py", file or lesson.original)
    outcome = Outcome("test_a", "It ends.", "green")
    if diagnosis:
        found = replace(make_finding(diagnosis), conversation=steps, **finding)
        outcome = replace(outcome, state="red", finding=found)
    rest = Outcome("test_b", "It begins.", "not run" if diagnosis else "green")
    verdict = Verdict(lesson.key, f"{student}.py", (outcome, rest), digest="a" * 64, seconds=0.5)
    state = "green" if verdict.green else "red"
    return Grade(submission, SubmissionVerdict(f"{student}.py", state, verdict))


def not_judged(student):
    submission = Submission(student, STOP, f"{student}.py", STOP.original)
    result = SubmissionVerdict(f"{student}.py", NOT_JUDGED, None, TIMED_OUT, "After 30 s.")
    return Grade(submission, result)


def report(*grades, left_out=(), warning=""):
    created = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
    return ClassReport("class", grades, tuple(left_out), warning, created)
