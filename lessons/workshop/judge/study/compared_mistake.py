"""Compares a mistake with the solution: plays one conversation with both."""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import NamedTuple

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.lesson_text import recorded_conversations
from lessons.workshop.course.mistakes import Mistake
from lessons.workshop.course.subjects import resolve
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.recording.transcript import first_difference
from lessons.workshop.engine.script.steps import split_steps
from lessons.workshop.engine.subject import Subject
from lessons.workshop.judge.runner import judge
from lessons.workshop.judge.study.predictions import predictions
from lessons.workshop.judge.study.recordings import Recording, cached, modification_times, record
from lessons.workshop.judge.verdict import Verdict

_one_verdict = threading.Lock()  # a verdict uses all cores, so the next one waits
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.:+Z]*")


class FirstDifference(NamedTuple):
    """The index of the first differing event in each recording; None if a recording ends there."""

    right: int | None
    wrong: int | None


@dataclass(frozen=True)
class Comparison:
    """Two recordings and their first difference; the `steps` that were played, or a `claim`."""

    right: Recording
    wrong: Recording
    difference: FirstDifference | None
    steps: tuple[str, ...] = ()
    claim: str = ""

    @property
    def is_visible_to_client(self) -> bool:
        """Whether the difference is in what a client receives or in how a consumer ends."""
        return find_visible_difference(self.right.events, self.wrong.events) is not None


def lesson_conversations(lesson: Lesson, first_of: str = "") -> list[tuple[str, ...]]:
    """The conversations in the lesson's text and predictions; those of `first_of` come first.

    Conversations with any other application are left out: they are about that application.
    """
    found = [
        (one.name, tuple(split_steps(one.steps)))
        for one in recorded_conversations(lesson.text)
        if one.name in (lesson.demo, "solution") or one.name.startswith("mistake:")
    ]
    found += [(prediction.target, prediction.steps) for prediction in predictions(lesson)]
    found.sort(key=lambda one: one[0] != first_of)
    return list(dict.fromkeys(steps for _, steps in found))


def compare(lesson: Lesson, mistake: Mistake, steps: tuple[str, ...]) -> Comparison:
    """Play these steps with the solution and with the mistake."""
    right = record(lesson, "solution", steps)
    wrong = record(lesson, f"mistake:{mistake.name}", steps)
    return Comparison(right, wrong, find_first_difference(right.events, wrong.events), steps)


def find_comparison(lesson: Lesson, mistake: Mistake) -> Comparison | None:
    """The first of the lesson's conversations in which a client can see the mistake.

    If no client can, the first with any difference, such as the name of a group or a query; None
    if all are equal.
    """
    if not is_playable(lesson):
        return None
    found = None
    for steps in lesson_conversations(lesson, f"mistake:{mistake.name}"):
        comparison = compare(lesson, mistake, steps)
        if comparison.is_visible_to_client:
            return comparison
        found = found or (comparison if comparison.difference else None)
    return found


def is_playable(lesson: Lesson) -> bool:
    """Whether the student writes a consumer. In one lesson the student writes a test."""
    return lesson.exercise_base is not None


def compare_in_check(lesson: Lesson, mistake: Mistake) -> Comparison:
    """Compare them in the conversation that shows the mistake; takes as long as a verdict."""
    for wrong in cached_verdict(lesson, resolve(lesson, f"mistake:{mistake.name}")).outcomes:
        if wrong.state == "red" and wrong.finding.conversation:
            steps = tuple(split_steps(wrong.finding.conversation))
            return replace(compare(lesson, mistake, steps), claim=wrong.claim)
    return Comparison(Recording(()), Recording(()), None)


def cached_verdict(lesson: Lesson, target: Subject) -> Verdict:
    """The verdict on the target; a new one if a file has changed."""

    def make() -> Verdict:
        with _one_verdict:
            return judge(lesson, target)

    return cached((lesson.folder, target.file, target.name, *modification_times(lesson, "")), make)


def find_first_difference(
    right: Sequence[Event], wrong: Sequence[Event], lanes: tuple[str, ...] = ()
) -> FirstDifference | None:
    """The first difference, or None if both recordings have the same messages, or those of `lanes`.

    The first connection is compared with the first, the second with the second: which of several
    connections sends first may be left to chance. Times never match, so they are ignored.
    """
    found = []
    pairs = zip_longest(_by_connection(right, lanes), _by_connection(wrong, lanes), fillvalue=[])
    for one, other in pairs:
        messages = [_without_times(right[index].message) for index in one]
        others = [_without_times(wrong[index].message) for index in other]
        first = first_difference(messages, others)
        if first is not None:
            sides = (it[first] if first < len(it) else None for it in (one, other))
            found.append(FirstDifference(*sides))
    return min(found, key=lambda it: min(x for x in it if x is not None), default=None)


def find_visible_difference(
    right: Sequence[Event], wrong: Sequence[Event]
) -> FirstDifference | None:
    """The first difference in what a client receives, or in how a consumer ends."""
    return find_first_difference(right, wrong, ("client", "consumer"))


def _by_connection(events: Sequence[Event], lanes: tuple[str, ...]) -> list[list[int]]:
    """The indices of each connection's events, in the order of their first events."""
    indices: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        if not lanes or event.lane in lanes:
            indices.setdefault(event.connection, []).append(index)
    return list(indices.values())


def _without_times(value):
    if isinstance(value, str):
        return _TIME.sub("a time", value)
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items()}
    if isinstance(value, list | tuple):  # a recording that was JSON has lists only
        return [_without_times(item) for item in value]
    return value
