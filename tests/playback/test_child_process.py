"""What is asked of a process of its own ends with the answer, whoever still waits for it."""

import multiprocessing
import os
import subprocess
import sys
from collections import OrderedDict
from operator import methodcaller

import pytest

from lessons.core.catalogue import PROJECT_DIR, find
from lessons.judge import runner
from lessons.playback import child_process
from lessons.playback.target import resolve

ANSWERS = methodcaller("__call__", "the answer")
SPINS = "while True:\n    pass\n"

needs_fork_server = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork server")


def code_of_an_orphan(target, *arguments):
    """The exit code of a process that answers where nobody who asked is left."""
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
def test_what_was_asked_ends_where_who_asked_is_gone():
    assert code_of_an_orphan(child_process._run_function, ANSWERS, ()) == 0


@needs_fork_server
def test_an_exercise_that_spins_is_ended_where_who_asked_is_gone(tmp_path):
    file = tmp_path / "exercise.py"
    file.write_text(SPINS)
    lesson = find("stop")
    assert code_of_an_orphan(runner._child, lesson, resolve(lesson, str(file)), 0.1) == 1


FROM_ELSEWHERE = f"""
import sys
sys.path.insert(0, {str(PROJECT_DIR)!r})  # as for a manage.py in another folder

import multiprocessing
from lessons.judge import runner
from lessons.playback import child_process

child_process.start_fork_server()
context = multiprocessing.get_context("forkserver")
child = context.Process(target=exec, args=("import sys; print(*sys.modules)",))
child.start()
child.join()
"""


@needs_fork_server
def test_the_fork_server_is_warm_wherever_the_command_was_given(tmp_path):
    command = [sys.executable, "-c", FROM_ELSEWHERE]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert "lessons.judge.fixtures" in done.stdout.split(), done.stderr


INTERRUPTED = """
import os, signal, sys
os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))
from lessons.judge.runner import start_child
try:
    start_child(print)
except KeyboardInterrupt:
    sys.exit("heard")
"""


def test_an_answer_comes_back():
    assert child_process.run_isolated(ANSWERS) == "the answer"


@needs_fork_server
def test_ctrl_c_while_a_child_is_forked_is_heard_once_it_has_begun():
    command = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (1, "heard\n")


@pytest.mark.parametrize(
    "value",
    [
        None,
        [True, 1, 1.5, "text", "\ud800"],
        {"type": "x", "bytes": b"\x00\xff", 3: ("a", [b""])},
        {"bytes": "not hexadecimal"},
        {"dict": [1], "tuple": {}},
        (float("inf"),),
    ],
)
def test_values_arrive_unchanged_through_a_pipe(value):
    ours, theirs = multiprocessing.Pipe()
    child_process.send_json(theirs, value)
    assert child_process.receive_json(ours) == value


class Text(str):
    """A text with its own idea of equality."""

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


def test_a_subclass_of_a_built_in_type_arrives_as_that_type():
    ours, theirs = multiprocessing.Pipe()
    child_process.send_json(theirs, [Text("a"), OrderedDict(a=1), {Text("key"): object}])
    text, mapping, other = child_process.receive_json(ours)
    assert [type(text), type(mapping)] == [str, dict]
    assert other == {"key": repr(object)}


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b'{"bytes": 1}', b'{"pickle": ""}', b"{}", b"[" * 100_000]
)
def test_anything_but_json_is_reported_as_unreadable(data):
    ours, theirs = multiprocessing.Pipe()
    theirs.send_bytes(data)
    with pytest.raises(child_process.UnreadableMessage):
        child_process.receive_json(ours)
