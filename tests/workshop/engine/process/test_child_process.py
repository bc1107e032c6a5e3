"""run_isolated(): the child process ends with its answer, even if its parent has ended."""

import gc
import multiprocessing
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from operator import methodcaller

import pytest

from lessons.workshop.course.lesson_index import PROJECT_DIR, find
from lessons.workshop.engine.process import child_process, session
from lessons.workshop.engine.process.target import resolve

ANSWERS = methodcaller("__call__", "the answer")
SPINS = "while True:\n    pass\n"

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
def test_a_child_ends_when_its_parent_has_ended():
    assert exit_code_without_a_parent(child_process._run_function, ANSWERS, ()) == 0


@needs_fork_server
def test_an_endless_exercise_ends_when_its_parent_has_ended(tmp_path):
    file = tmp_path / "exercise.py"
    file.write_text(SPINS)
    lesson = find("stop")
    parents_end, _ = multiprocessing.Pipe()
    arguments = parents_end, lesson, resolve(lesson, str(file)), 0.1, str(tmp_path)
    assert exit_code_without_a_parent(session._run_forked, *arguments) == 1


FROM_ANOTHER_FOLDER = f"""
import sys
sys.path.insert(0, {str(PROJECT_DIR)!r})  # as for a manage.py in another folder

import multiprocessing
from lessons.workshop.judge import runner
from lessons.workshop.engine.process import child_process

child_process.start_fork_server()
context = multiprocessing.get_context("forkserver")
child = context.Process(target=exec, args=("import sys; print(*sys.modules)",))
child.start()
child.join()
"""


@needs_fork_server
def test_the_fork_server_preloads_when_started_in_another_folder(tmp_path):
    command = [sys.executable, "-c", FROM_ANOTHER_FOLDER]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert "lessons.workshop.judge.runner" in done.stdout.split(), done.stderr


INTERRUPTED = """
import os, signal, sys
os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))
from lessons.workshop.engine.process.child_process import start_child
try:
    start_child(print)
except KeyboardInterrupt:
    sys.exit("interrupted")
"""


def test_only_one_thread_at_a_time_changes_the_environment_for_the_fork_server(monkeypatch):
    both = threading.Barrier(2)

    def ensure_running():
        with suppress(threading.BrokenBarrierError):
            both.wait(0.2)
            pytest.fail("Each thread would restore the environment of the other.")

    monkeypatch.setattr("multiprocessing.forkserver.ensure_running", ensure_running)
    with ThreadPoolExecutor(2) as threads:
        for started in [threads.submit(child_process.start_fork_server) for _ in range(2)]:
            started.result()


def test_run_isolated_returns_the_answer():
    assert child_process.run_isolated(ANSWERS) == "the answer"


def fail(answer):
    raise ValueError("not a number")


def test_an_exception_in_the_child_arrives_as_its_traceback():
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


@needs_fork_server
def test_ctrl_c_during_a_fork_is_delivered_after_the_start():
    command = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (1, "interrupted\n")


@pytest.mark.parametrize(
    "value",
    [
        None,
        [True, 1, 1.5, "text", "\ud800"],
        {"type": "x", "bytes": b"\x00\xff", 3: ("a", [b""])},
        {"bytes": "not hexadecimal"},
        {"dict": [1], "tuple": {}},
        (float("inf"), -(2**70), 2**64),
        {("a", 1): [()]},
    ],
)
def test_values_arrive_unchanged_through_a_pipe(value):
    ours, theirs = multiprocessing.Pipe()
    child_process.send_data(theirs, value)
    assert child_process.receive_data(ours) == value


class Text(str):
    """A text with its own idea of equality."""

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


def test_a_subclass_of_a_built_in_type_arrives_as_that_type():
    ours, theirs = multiprocessing.Pipe()
    child_process.send_data(theirs, [Text("a"), OrderedDict(a=1), {Text("key"): object}])
    text, mapping, other = child_process.receive_data(ours)
    assert [type(text), type(mapping)] == [str, dict]
    assert other == {"key": repr(object)}


UNREADABLE = {
    "nothing": b"",
    "a byte without a meaning": b"\xc1",
    "half a list": b"\x92\x01",
    "two values": b"\x01\x02",
    "a text that is not UTF-8": b"\xa1\xff",
    "a list as a key": b"\x81\x90\x01",
    "an unknown type": b"\xd4\x09\x00",
    "a tuple that is a number": b"\xd4\x01\x05",
    "a number without digits": b"\xd4\x02x",
    "lists in lists": b"\x91" * 100_000,
}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE)
def test_anything_else_is_reported_as_unreadable(data):
    ours, theirs = multiprocessing.Pipe()
    theirs.send_bytes(data)
    with pytest.raises(child_process.UnreadableData):
        child_process.receive_data(ours)
