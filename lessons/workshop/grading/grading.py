"""Judges the submissions of a class, and sums up what the class has understood."""

import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial

from lessons.workshop.course.diagnoses import advice_of, diagnosis, title_of
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.recording.transcript import render
from lessons.workshop.grading.judging import NOT_JUDGED, Grade, compare_code, judge_submission
from lessons.workshop.grading.sandbox import Sandbox
from lessons.workshop.grading.submissions import LeftOut, Submission
from lessons.workshop.student.exercise_copies import digest, digest_of

UNCHANGED = "unchanged"  # the state of a submission that is the exercise as it was handed out
STATES = ("green", "red", UNCHANGED, NOT_JUDGED)
# These diagnoses only say that an event differs. Their submissions are grouped by what differs.
_VAGUE = {
    *("reply-differs", "no-reply", "reply-too-many", "closed-early", "not-closed-as-asked"),
    *("claim-not-met", "wrong-time", "wrong-connection", "exception"),
}


def judge_all(submissions: Sequence[Submission], sandbox: Sandbox) -> Iterator[Grade]:
    """The grades in order. Each thread waits for the process that judges one submission."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ThreadPoolExecutor(cores) as pool:
        yield from pool.map(partial(_grade, sandbox), submissions)


def _grade(sandbox: Sandbox, one: Submission) -> Grade:
    if digest(one.content) == digest_of(one.lesson.original):
        return Grade(one, UNCHANGED)
    return judge_submission(one, sandbox)


def _mistake(grades: list[Grade], judged: int) -> dict:
    """The mistake that these submissions share, of `judged` submissions for their lesson.

    `example` is the one with the shortest conversation, and all about the mistake is from it.
    `rows` is the solution beside its code, or None if that cannot be read.
    """
    # A conversation is better than none, and a short one better than a long one.
    example = min(grades, key=lambda it: len(it.first[0].conversation) or math.inf)
    finding, outcome = example.first
    known = diagnosis(finding.diagnosis)
    usual = f", usually: {known.title}" if finding.seen else ""
    where = finding.event and f"at {finding.event}"
    expected = finding.expected and f"expected {finding.expected}"
    return {
        "lesson": example.submission.lesson,
        "headline": f"{len(grades)} of {judged}: {title_of(finding)}{usual}",
        "difference": ", ".join(filter(None, (where, expected))),
        "students": ", ".join(grade.submission.student for grade in grades),
        "count": len(grades),
        "example": example,
        "finding": finding,
        "advice": advice_of(finding),
        "symptom": "" if finding.seen else known.symptom,
        "claim": outcome.claim if outcome else "",
        "transcript": render(outcome.transcript) if outcome else "",
        "rows": (compare_code(example.submission) or {}).get("rows"),
    }


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
    def rows(self) -> list[tuple[str, list[Grade | None]]]:
        """Each student with a grade, or None, for each of `lessons`."""
        found: dict[str, dict[Lesson, Grade]] = defaultdict(dict)
        for grade in self.grades:
            found[grade.submission.student][grade.submission.lesson] = grade
        return [(student, [*map(grades.get, self.lessons)]) for student, grades in found.items()]

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
    def mistakes(self) -> list[dict]:
        """The mistakes of all lessons, as report.html shows them: the most frequent ones first.

        A submission counts once, with its first finding.
        """
        judged = Counter(grade.submission.lesson for grade in self.grades if grade.verdict)
        groups: dict[tuple, list[Grade]] = defaultdict(list)
        for grade in filter(lambda it: it.first, self.grades):
            finding, outcome = grade.first
            difference = (outcome and outcome.name, finding.event, finding.expected)
            is_vague = finding.diagnosis in _VAGUE
            key = grade.submission.lesson, finding.diagnosis, is_vague and difference
            groups[key].append(grade)
        ordered = sorted(groups.items(), key=lambda it: (it[0][0].number, -len(it[1]), it[0][1]))
        return [_mistake(grades, judged[lesson]) for (lesson, *_), grades in ordered]

    @cached_property
    def claims(self) -> list[tuple[Lesson, str, int, int]]:
        """For each claim of a lesson, how many submissions fail it, and how many were judged.

        A file that does not load was not judged.
        """
        found = []
        for lesson in self.lessons:
            loaded = [it.outcomes for it in self.grades if it.submission.lesson == lesson]
            for same in zip(*filter(None, loaded), strict=True):
                claim = min((one.claim for one in same), key=len)  # without its count, if it ran
                states = Counter(one.state for one in same)
                found.append((lesson, claim, states["red"], states["red"] + states["green"]))
        return found
