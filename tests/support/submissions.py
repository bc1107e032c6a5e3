"""Judges possible submissions, each written as a change to a right version of the exercise."""

import asyncio
import gc
import multiprocessing
import os
import warnings
from contextlib import suppress
from functools import cache
from textwrap import dedent, indent

import pytest
from asgiref.sync import sync_to_async

from lessons.core.catalogue import find
from lessons.judge.check_runner import find_checks, run_check
from lessons.judge.verdict import Verdict
from lessons.playback.child_process import set_up_django
from lessons.playback.target import Target
from lessons.simulator.check_context import CheckContext
from lessons.simulator.finding import CheckFailed
from lessons.simulator.student_module import load_file, load_subject

VERDICT_TIMEOUT = 60  # seconds; only a test that fails waits so long


class Submissions:
    """Submissions for one exercise.

    `beginning` is the exercise up to its last `def` line, `right` is a right body for it. With an
    empty `beginning`, `right` is a whole file.
    """

    def __init__(self, lesson_name, beginning, right):
        self.lesson = find(lesson_name)
        self.beginning = beginning
        self.right = right

    def changed(self, *changes) -> Verdict:
        """Return the verdict on the right file after each (old, new) replacement."""
        source = self.right
        for old, new in changes:
            assert old in source, old
            source = source.replace(old, new)
        return self.verdict(source=source)

    def verdict(self, *, body=None, old="", new="", source=None, to_the_end=False) -> Verdict:
        """Return the verdict on a body, on the right body with `old` replaced, or on a whole file.

        Judging stops at the first red check, except with `to_the_end`.
        """
        assert old in self.right
        body = dedent(body) if body else self.right.replace(old, new, 1)
        source = source or self.beginning + indent(body, " " * 8)
        name, base = self.lesson.exercise_name, self.lesson.exercise_base
        target = Target("submission", self.lesson.exercise, name, base, source)
        return _judge(self.lesson, target, to_the_end)


def _judge(lesson, target, to_the_end) -> Verdict:
    """Judge like `lessons.judge.judge`, but reuse one process: that is faster.

    It is not pytest's process. Wrong code leaves tasks and sockets behind, and their warnings would
    appear in the middle of another test.
    """
    from lessons.judge.runner import has_model, judge

    if has_model(lesson):
        return judge(lesson, target)
    pipe = _judge_process()
    pipe.send((lesson, target, to_the_end))
    assert pipe.poll(VERDICT_TIMEOUT), "the judge process did not answer"
    return pipe.recv()


@cache
def _judge_process():
    """Start a process that ends with this one. Return our end of the pipe to it."""
    context = multiprocessing.get_context("spawn")
    pipe, child_pipe = context.Pipe()
    context.Process(target=_serve, args=(child_pipe,), daemon=True).start()
    child_pipe.close()
    return pipe


def _serve(pipe) -> None:
    set_up_django()
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    gc.freeze()
    with suppress(EOFError):
        while True:
            pipe.send(_verdict(*pipe.recv()))
            _clean_up()


def _clean_up() -> None:
    """Free what the submission left behind, so that no warning appears in the next one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asyncio.run(sync_to_async(int)())  # the sync thread keeps a reference to its last loop
        gc.collect()
    gc.freeze()  # do not collect the remaining objects again for the next submission


def _verdict(lesson, target, to_the_end) -> Verdict:
    outcomes = []
    try:
        for check in find_checks(load_file(lesson.check)):
            outcomes.append(run_check(check, CheckContext(lesson, load_subject(target))))
            if outcomes[-1].state == "red" and not to_the_end:
                break
    except CheckFailed as red:
        return Verdict(lesson.key, target.title, problem=red.finding)
    return Verdict(lesson.key, target.title, tuple(outcomes))


def named(**cases):
    """Make pytest parameters. The names are the ids."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else [case]), id=name)
        for name, case in cases.items()
    ]
