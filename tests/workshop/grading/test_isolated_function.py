"""run_isolated(): a function answers from a child process, and nothing of it is unpickled."""

import gc
import os
from multiprocessing.connection import Connection
from operator import methodcaller

import pytest

from lessons.workshop.grading.isolated_function import ChildRaised, NoAnswer, run_isolated

ANSWERS = methodcaller("__call__", "the answer")


def fail(answer):
    raise ValueError("not a number")


def test_returns_the_answer_or_raises_with_the_traceback_of_the_child():
    assert run_isolated(ANSWERS) == "the answer"
    with pytest.raises(ChildRaised, match="ValueError: not a number"):
        run_isolated(fail)


class Pickled:
    """Creates a file when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (self.file,)


def forge_an_answer(answer, file):
    for connection in [one for one in gc.get_objects() if isinstance(one, Connection)]:
        if connection.writable and not connection.closed:
            connection.send(Pickled(file))


def test_nothing_that_the_child_sends_is_unpickled(tmp_path):
    file = tmp_path / "unpickled"
    with pytest.raises(NoAnswer, match="not an answer"):
        run_isolated(forge_an_answer, str(file))
    assert not file.exists()
