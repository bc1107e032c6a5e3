"""Judges what a student might write in an exercise, given as a change to a right version."""

import gc
import sys
from contextlib import contextmanager
from textwrap import dedent, indent

import pytest

from lessons.catalogue import find
from lessons.checking.finding import Red
from lessons.checking.fixtures import Bench
from lessons.checking.performing import checks_in, perform
from lessons.checking.target import Target, load_file
from lessons.checking.verdict import Verdict


class Trials:
    """`beginning` is an exercise up to its last `def` line, `right` one right body for that."""

    def __init__(self, lesson_name, beginning, right):
        self.lesson = find(lesson_name)
        self.beginning = beginning
        self.right = right

    def verdict(self, *, body=None, old="", new="", source=None, to_the_end=False) -> Verdict:
        """The verdict on a body, on the right one with `old` replaced, or on a whole file.

        It ends with the first check that is red, or `to_the_end`.
        """
        assert old in self.right
        body = dedent(body) if body else self.right.replace(old, new, 1)
        source = source or self.beginning + indent(body, " " * 8)
        name, base = self.lesson.exercise_name, self.lesson.exercise_base
        target = Target("trial", self.lesson.exercise, name, base, source)
        with _swept_up():
            try:
                outcomes = tuple(self._outcomes(target, to_the_end))
                return Verdict(self.lesson.key, target.title, outcomes)
            except Red as red:
                return Verdict(self.lesson.key, target.title, problem=red.finding)

    def _outcomes(self, target, to_the_end):
        """In this process, as pytest does: `judge` would start one of its own for each trial."""
        for check in checks_in(load_file(self.lesson.check)):
            outcome = perform(check, Bench(self.lesson, target.load()))
            yield outcome
            if outcome.state == "red" and not to_the_end:
                return


@contextmanager
def _swept_up():
    """What a trial drops is gone by the end, and its last complaints reach no other test."""
    gc.freeze()  # what pytest has loaded need not be looked through after each check
    usual, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        yield
    finally:
        gc.collect()
        sys.unraisablehook = usual
        gc.unfreeze()


def named(**cases):
    """Parameters whose ids are the names."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else [case]), id=name)
        for name, case in cases.items()
    ]
