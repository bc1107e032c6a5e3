"""A player ends when its parent has ended."""

import multiprocessing
import os

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.course.subjects import resolve
from lessons.workshop.engine.process import child_process, player_process

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
def test_a_player_of_an_endless_exercise_ends_when_its_parent_has_ended(tmp_path):
    file, lesson = tmp_path / "exercise.py", find("stop")
    file.write_text("while True:\n    pass\n")
    parents_end, _ = multiprocessing.Pipe()
    arguments = parents_end, resolve(lesson, str(file)), 0.1, str(tmp_path)
    assert exit_code_without_a_parent(player_process.run_forked, *arguments) == 1
