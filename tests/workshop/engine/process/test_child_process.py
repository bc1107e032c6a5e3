"""run_isolated(): the child process ends with its answer, even if its parent has ended."""

import gc
import multiprocessing
import os
from multiprocessing.connection import Connection
from operator import methodcaller

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.course.subjects import resolve
from lessons.workshop.engine.process import child_process, served_player

ANSWERS = methodcaller("__call__", "the answer")

needs_fork_server = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


def exit_code_without_a_parent(target, *arguments):
    """The exit code of a child process whose parent has closed the pipe."""
    child_process.start_fork_server()
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=target, args=(theirs, *arguments), daemon=True)
    child.start()
    theirs.close()
    ours.close()
    child.join(20)
    try:
        return child.exitcode
    finally:
        child.kill()


@needs_fork_server
def test_a_child_and_an_endless_exercise_end_when_their_parent_has_ended(tmp_path):
    assert exit_code_without_a_parent(child_process._run_function, ANSWERS, ()) == 0
    file, lesson = tmp_path / "exercise.py", find("stop")
    file.write_text("while True:\n    pass\n")
    parents_end, _ = multiprocessing.Pipe()
    arguments = parents_end, resolve(lesson, str(file)), 0.1, str(tmp_path)
    assert exit_code_without_a_parent(served_player.run_forked, *arguments) == 1


def fail(answer):
    raise ValueError("not a number")


def test_returns_the_answer_or_raises_with_the_traceback_of_the_child():
    assert child_process.run_isolated(ANSWERS) == "the answer"
    with pytest.raises(child_process.ChildRaised, match="ValueError: not a number"):
        child_process.run_isolated(fail)


class Pickled:
    """Creates a file when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (self.file,)


def forge_an_answer(answer, file):
    for connection in [one for one in gc.get_objects() if isinstance(one, Connection)]:
        if connection.writable:
            connection.send(Pickled(file))


def test_nothing_that_the_child_sends_is_unpickled(tmp_path):
    file = tmp_path / "unpickled"
    with pytest.raises(child_process.NoAnswer, match="not an answer"):
        child_process.run_isolated(forge_an_answer, str(file))
    assert not file.exists()


@pytest.mark.parametrize(
    "value",
    [
        [None, True, 1, 1.5, "text", "\ud800"],
        {"type": "x", "bytes": b"\x00\xff", 3: ("a", [b""])},
        (float("inf"), -(2**70), 2**64),
        {("a", 1): [()]},
    ],
)
def test_values_arrive_unchanged_through_a_pipe(value):
    ours, theirs = multiprocessing.Pipe()
    child_process.send_data(theirs, value)
    assert child_process.receive_data(ours) == value


@pytest.mark.parametrize(
    "data",
    [b"", b"\x92\x01", b"\xa1\xff", b"\xd4\x09\x00", b"\x91" * 100_000],
    ids=["nothing", "half a list", "not UTF-8", "an unknown type", "lists in lists"],
)
def test_anything_else_is_reported_as_unreadable(data):
    ours, theirs = multiprocessing.Pipe()
    theirs.send_bytes(data)
    with pytest.raises(child_process.UnreadableData):
        child_process.receive_data(ours)
