"""Judges what a student might write in an exercise, given as a change to a right version."""

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
from lessons.judge.check_runner import checks_in, perform
from lessons.judge.verdict import Verdict
from lessons.playback.child_process import set_up_django
from lessons.playback.target import Target
from lessons.simulator.check_context import CheckContext
from lessons.simulator.finding import CheckFailed
from lessons.simulator.student_module import load_file

PATIENCE = 60  # seconds, only ever spent by a test that fails


class Trials:
    """`beginning` is an exercise up to its last `def` line, `right` one right body for that."""

    def __init__(self, lesson_name, beginning, right):
        self.lesson = find(lesson_name)
        self.beginning = beginning
        self.right = right

    def changed(self, *changes) -> Verdict:
        """The verdict on the right version, a whole file, with each (old, new) replaced in turn."""
        source = self.right
        for old, new in changes:
            assert old in source, old
            source = source.replace(old, new)
        return self.verdict(source=source)

    def verdict(self, *, body=None, old="", new="", source=None, to_the_end=False) -> Verdict:
        """The verdict on a body, on the right one with `old` replaced, or on a whole file.

        It ends with the first check that is red, or `to_the_end`.
        """
        assert old in self.right
        body = dedent(body) if body else self.right.replace(old, new, 1)
        source = source or self.beginning + indent(body, " " * 8)
        name, base = self.lesson.exercise_name, self.lesson.exercise_base
        target = Target("trial", self.lesson.exercise, name, base, source)
        return _judge(self.lesson, target, to_the_end)


def _judge(lesson, target, to_the_end) -> Verdict:
    """As `judge` does, but one after the other in one process, which spares starting many.

    Not in pytest's own: what wrong code leaves behind would complain amid some other test.
    """
    pipe = _judging_process()
    pipe.send((lesson, target, to_the_end))
    assert pipe.poll(PATIENCE), "the trial did not end"
    return pipe.recv()


@cache
def _judging_process():
    """This end of the pipe to a process that ends with this one."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    context.Process(target=_serve, args=(theirs,), daemon=True).start()
    theirs.close()
    return ours


def _serve(pipe) -> None:
    set_up_django()
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    gc.freeze()
    with suppress(EOFError):
        while True:
            pipe.send(_verdict(*pipe.recv()))
            _sweep_up()


def _sweep_up() -> None:
    """Let go of what the trial left behind now, since it would complain amid the next one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asyncio.run(sync_to_async(int)())  # the thread of sync handlers knows its last loop
        gc.collect()
    gc.freeze()  # what is still there is the next one's affair as little as what was loaded


def _verdict(lesson, target, to_the_end) -> Verdict:
    outcomes = []
    try:
        for check in checks_in(load_file(lesson.check)):
            outcomes.append(perform(check, CheckContext(lesson, target.load())))
            if outcomes[-1].state == "red" and not to_the_end:
                break
    except CheckFailed as red:
        return Verdict(lesson.key, target.title, problem=red.finding)
    return Verdict(lesson.key, target.title, tuple(outcomes))


def named(**cases):
    """Parameters whose ids are the names."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else [case]), id=name)
        for name, case in cases.items()
    ]
