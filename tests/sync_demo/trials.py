"""Judges what a student might write in an exercise, given as a change to a right version."""

from textwrap import dedent, indent

import pytest

from lessons.catalogue import find
from lessons.checking import judge
from lessons.checking.target import Target


class Trials:
    """`beginning` is an exercise up to its last `def` line, `right` one right body for that."""

    def __init__(self, lesson_name, beginning, right):
        self.lesson = find(lesson_name)
        self.beginning = beginning
        self.right = right

    def verdict(self, *, body=None, old="", new="", source=None):
        """The verdict on a body, on the right one with `old` replaced, or on a whole file."""
        assert old in self.right
        body = dedent(body) if body else self.right.replace(old, new, 1)
        source = source or self.beginning + indent(body, " " * 8)
        name, base = self.lesson.exercise_name, self.lesson.exercise_base
        return judge(self.lesson, Target("trial", self.lesson.exercise, name, base, source), 20)


def named(**cases):
    """Parameters whose ids are the names."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else [case]), id=name)
        for name, case in cases.items()
    ]
