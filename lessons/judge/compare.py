"""Where a mistake shows: the same conversation with the solution and with the mistake."""

import re
from dataclasses import dataclass

from lessons.core.catalogue import Lesson
from lessons.judge.mistakes import Mistake
from lessons.judge.predictions import predictions
from lessons.judge.runner import judge
from lessons.judge.verdict import Verdict
from lessons.playback.recording_cache import Recording, cached, modification_times, record
from lessons.playback.steps import split_steps
from lessons.playback.target import Target, resolve
from lessons.wire.difference import FirstDifference, find_first_difference, matching_connections

_TRANSCRIPT = re.compile(r"^`{3,}transcript (?P<name>\S+) \| (?P<steps>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Comparison:
    """Both recordings and where they part; `steps` of one that was played, or a check's `claim`."""

    right: Recording
    wrong: Recording
    parting: FirstDifference | None
    steps: tuple[str, ...] = ()
    claim: str = ""

    @property
    def is_noticed(self) -> bool:
        """Whether they part in what a client is told, or in how a consumer ends."""
        noticed = [
            [event for event in one.events if event.lane in ("client", "consumer")]
            for one in (self.right, self.wrong)
        ]
        return find_first_difference(*noticed) is not None


def conversations(lesson: Lesson, first_of: str = "") -> list[tuple[str, ...]]:
    """The steps of those in the text and of those to predict; what that consumer is in, first.

    Without those that lead through an application of their own: they say nothing to another.
    """
    found = _TRANSCRIPT.finditer(lesson.text)
    told = [
        (it["name"], tuple(split_steps(it["steps"])))
        for it in found
        if it["name"] in (lesson.demo, "solution") or it["name"].startswith("mistake:")
    ]
    told += [(one.target, one.steps) for one in predictions(lesson)]
    told.sort(key=lambda one: one[0] != first_of)
    return list(dict.fromkeys(steps for _, steps in told))


def compare(lesson: Lesson, version: Mistake, steps: tuple[str, ...]) -> Comparison:
    """What these steps come to, with the solution and with the mistake."""
    right = record(lesson, "solution", steps)
    wrong = record(lesson, f"mistake:{version.name}", steps)
    return Comparison(right, wrong, find_first_difference(right.events, wrong.events), steps)


def compare_where_it_shows(lesson: Lesson, version: Mistake) -> Comparison | None:
    """The first of the lesson's conversations in which a client would notice; None without any.

    Where no client would, the first that tells them apart: by the name of a group, or by a query.
    """
    found = None
    for steps in conversations(lesson, f"mistake:{version.name}") if can_be_played(lesson) else ():
        comparison = compare(lesson, version, steps)
        if comparison.is_noticed:
            return comparison
        found = found or (comparison if comparison.parting else None)
    return found


def can_be_played(lesson: Lesson) -> bool:
    """Whether it is about a consumer; what a student writes may be a test."""
    return lesson.exercise_base is not None


def compare_in_the_check(lesson: Lesson, version: Mistake) -> Comparison:
    """What the check did that finds it; takes as long as two verdicts."""
    # Not by its name, for which the file would be run in this process.
    mistake = Target(f"mistake:{version.name}", lesson.mistakes, version.name)
    right = {one.name: one for one in judged(lesson, resolve(lesson, "solution")).outcomes}
    for wrong in judged(lesson, mistake).outcomes:
        if wrong.state == "red":
            # What is kept of a red check may be the one client's with whom it went wrong.
            one = tuple(matching_connections(right[wrong.name].transcript, wrong.transcript))
            parting = find_first_difference(one, wrong.transcript) if one else None
            recordings = Recording(one), Recording(wrong.transcript)
            return Comparison(*recordings, parting, claim=wrong.claim)
    return Comparison(Recording(()), Recording(()), None)


def judged(lesson: Lesson, target: Target) -> Verdict:
    """The verdict on that target, which is judged anew where a file has changed."""
    key = (lesson.folder, target.file, target.name, *modification_times(lesson, ""))
    return cached(key, lambda: judge(lesson, target))
