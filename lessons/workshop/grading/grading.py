"""Judges the submissions of a class, and sums up what the class has understood."""

import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path

from lessons.workshop.course.diagnoses import Diagnosis, advice_of, diagnosis, message_of, title_of
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.recording.transcript import render
from lessons.workshop.engine.script.steps import split_steps
from lessons.workshop.grading.sandbox import Sandbox
from lessons.workshop.grading.submission import NOT_JUDGED, SubmissionVerdict, judge_submission
from lessons.workshop.grading.submissions import LeftOut, Submission
from lessons.workshop.judge.study.code_comparison import beside_solution
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.student.exercise_copies import digest, digest_of

UNCHANGED = "unchanged"  # the state of a submission that is the exercise as it was handed out
STATES = ("green", "red", UNCHANGED, NOT_JUDGED)
MAX_MESSAGE = 2_000  # characters; a student's code decides how long an exception's text is
# These diagnoses only say that an event differs. Their submissions are grouped by what differs.
_VAGUE = {
    *("reply-differs", "no-reply", "reply-too-many", "closed-early", "not-closed-as-asked"),
    *("claim-not-met", "wrong-time", "wrong-connection", "exception"),
}


@dataclass(frozen=True)
class Grade:
    """A submission with its verdict, or with the reason why it has none."""

    submission: Submission
    result: SubmissionVerdict

    @property
    def state(self) -> str:
        return self.result.state

    @property
    def verdict(self) -> Verdict | None:
        return self.result.verdict

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return self.verdict.outcomes if self.verdict else ()

    @property
    def claims(self) -> tuple[int, int]:
        """How many claims are green, and how many the lesson has: 0 if the file does not load."""
        return sum(one.state == "green" for one in self.outcomes), len(self.outcomes)

    @property
    def first(self) -> tuple[Finding, Outcome | None] | None:
        """The first finding with its outcome; what stops the loading has no outcome."""
        if self.verdict and self.verdict.problem:
            return self.verdict.problem, None
        return next(((one.finding, one) for one in self.outcomes if one.finding), None)

    @property
    def message(self) -> str:
        """What to know first: the first finding, or why the submission was not judged."""
        if self.state == NOT_JUDGED:
            return f"{self.result.reason}: {self.result.detail}"[:MAX_MESSAGE]
        return message_of(self.first[0])[:MAX_MESSAGE] if self.first else ""


def judge_all(submissions: Sequence[Submission], sandbox: Sandbox) -> Iterator[Grade]:
    """The grades in order; each thread waits for the process that judges one submission.

    If the iteration ends early, as after Ctrl-C, those in progress are judged to their end.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    pool = ThreadPoolExecutor(cores or 1)
    try:
        yield from pool.map(partial(_grade, sandbox), submissions)
    finally:
        pool.shutdown(cancel_futures=True)


def _grade(sandbox: Sandbox, one: Submission) -> Grade:
    if digest(one.content) == digest_of(one.lesson.original):
        return Grade(one, SubmissionVerdict(UNCHANGED))
    return Grade(one, judge_submission(one.lesson, one.content, sandbox))


@dataclass(frozen=True)
class ClassMistake:
    """The submissions for a lesson that have the same first difference, of `judged` in all."""

    lesson: Lesson
    diagnosis: Diagnosis
    grades: tuple[Grade, ...]
    judged: int

    @property
    def headline(self) -> str:
        usual = f", usually: {self.diagnosis.title}" if self.finding.seen else ""
        return f"{len(self.grades)} of {self.judged}: {title_of(self.finding)}{usual}"

    @property
    def is_usual(self) -> bool:
        """Whether its cause is only the usual one."""
        return advice_of(self.finding).is_usual

    @property
    def students(self) -> str:
        return ", ".join(grade.submission.student for grade in self.grades)

    @cached_property
    def example(self) -> Grade:
        """The submission that shows the mistake with the fewest steps."""
        return min(self.grades, key=lambda grade: _length(grade.first[0]))

    @property
    def finding(self) -> Finding:
        return self.example.first[0]

    @property
    def claim(self) -> str:
        """The claim that the example does not fulfil, or ""."""
        outcome = self.example.first[1]
        return outcome.claim if outcome else ""

    @property
    def difference(self) -> str:
        """The event at which the example differs, and what had to come, if that is known."""
        where = f"at {self.finding.event}" if self.finding.event else ""
        expected = self.finding.expected and f"expected {self.finding.expected}"
        return ", ".join(filter(None, (where, expected)))

    @property
    def transcript(self) -> str:
        outcome = self.example.first[1]
        return render(outcome.transcript) if outcome else ""

    @cached_property
    def rows(self) -> list[dict]:
        """The solution beside the example's code; none if it cannot be read."""
        with tempfile.TemporaryDirectory(prefix="submission-") as folder:
            file = Path(folder) / "submission.py"
            file.write_bytes(self.example.submission.content)
            found = beside_solution(self.lesson, file, self.lesson.exercise_name)
        return found["rows"] if found else []


def _length(finding: Finding) -> tuple:
    """A conversation is better than none, and a short one better than a long one."""
    steps = split_steps(finding.conversation) if finding.conversation else []
    return not steps, len(steps), len(finding.conversation)


@dataclass(frozen=True)
class ClaimCount:
    """How many submissions fail a claim, and how many it judged."""

    lesson: Lesson
    claim: str
    failed: int
    judged: int


@dataclass(frozen=True)
class ClassReport:
    """The grades of a class, by student and lesson.

    `warning` says what the sandbox lacks on this machine. `created` is the time of the report.
    """

    name: str
    grades: tuple[Grade, ...]
    left_out: tuple[LeftOut, ...] = ()
    warning: str = ""
    created: datetime = field(default_factory=lambda: datetime.now().astimezone())

    @cached_property
    def lessons(self) -> list[Lesson]:
        found = {grade.submission.lesson for grade in self.grades}
        return sorted(found, key=lambda lesson: lesson.number)

    @cached_property
    def by_student(self) -> dict[str, dict[Lesson, Grade]]:
        """The grades of each student. A student has one grade for a lesson, or none."""
        found: dict[str, dict[Lesson, Grade]] = defaultdict(dict)
        for grade in self.grades:
            found[grade.submission.student][grade.submission.lesson] = grade
        return dict(found)

    @cached_property
    def counts(self) -> dict[str, int]:
        """The number of submissions in each state."""
        found = Counter(grade.state for grade in self.grades)
        return {state: found[state] for state in STATES}

    @property
    def is_complete(self) -> bool:
        """Whether each file that may be a submission has a verdict, or is unchanged."""
        return not self.counts[NOT_JUDGED] and not any(one.is_doubtful for one in self.left_out)

    @cached_property
    def mistakes(self) -> list[ClassMistake]:
        """The mistakes of all lessons, the most frequent ones of each lesson first.

        A submission counts once, with its first finding.
        """
        judged: Counter[Lesson] = Counter()
        groups: dict[tuple, list[Grade]] = defaultdict(list)
        for grade in self.grades:
            judged[grade.submission.lesson] += grade.verdict is not None
            if grade.first:
                groups[grade.submission.lesson, *_difference_of(*grade.first)].append(grade)
        found = [
            ClassMistake(lesson, diagnosis(name), tuple(group), judged[lesson])
            for (lesson, name, *_), group in groups.items()
        ]
        return sorted(found, key=lambda it: (it.lesson.number, -len(it.grades), it.diagnosis.id))

    @cached_property
    def claims(self) -> list[ClaimCount]:
        """For each claim of each lesson, how many submissions fail it. Files must load for that."""
        found = []
        for lesson in self.lessons:
            loaded = [it.outcomes for it in self.grades if it.submission.lesson == lesson]
            loaded = [outcomes for outcomes in loaded if outcomes]
            for same in zip(*loaded, strict=True):
                claim = min((one.claim for one in same), key=len)  # without its count, if it ran
                states = Counter(one.state for one in same)
                judged = states["red"] + states["green"]
                found.append(ClaimCount(lesson, claim, states["red"], judged))
        return found


def _difference_of(finding: Finding, outcome: Outcome | None) -> tuple:
    """What is the same for submissions with the same mistake."""
    if finding.diagnosis not in _VAGUE:
        return (finding.diagnosis,)
    claim = outcome.name if outcome else ""
    return finding.diagnosis, claim, finding.event, finding.expected
