"""`lesson watch`: a verdict at every save, a clean end."""

import os
import signal

import pytest

from tests.support import exercise_files
from tests.support.programs.processes import start_with_pipe
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram, wait_until


class Watch(RunningProgram):
    """A running `lesson watch 1`, which writes to a pipe."""

    def __init__(self, project):
        self.project = project
        self.exercise = project / "work" / "01_lamp.py"
        self.solved = (project / "lessons/01_lamp/solution.py").read_text()

    def start(self):
        words = ["manage.py", "lesson", "watch", "1"]
        return start_with_pipe(words, cwd=self.project, env=os.environ | {"NO_COLOR": "1"})

    def next(self, *all_words):
        """Wait until it has printed lines with these words, one after the other."""
        for words in all_words:
            assert self.wait_for_words(words), f"it never said {words!r}:\n{self.output}"

    def interrupt(self) -> int:
        """Press Ctrl-C. The exit code, after all lines have been read."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(TEST_TIMEOUT)
        self.join_reader()
        return code


@pytest.fixture
def watch(project):
    with Watch(project) as started:
        yield started


def test_judges_at_every_save_and_ctrl_c_ends_it_with_the_code_of_the_verdict(watch):
    watch.next("✗ repeats text", "Watching ")
    watch.exercise.write_text(watch.solved)  # in place
    watch.next("✓ repeats text")
    watch.exercise.write_text("class Lamp(:\n")
    watch.next("syntax-error", "lesson hint 1", "Watching ")
    exercise_files.save(watch.exercise, watch.solved)  # by renaming
    watch.next("✓ repeats text", "lesson solution 1", "Watching ")

    assert watch.interrupt() == 0
    assert watch.lines[-1].startswith("Watching ")  # and no traceback after it
    assert "\x1b" not in watch.output  # a pipe gets no colours


def test_ctrl_c_ends_it_during_a_verdict(watch, tmp_path_factory):
    watch.next("Watching ")
    is_running = tmp_path_factory.mktemp("outside") / "is_running"  # no project to the exercise
    code = f"open({str(is_running)!r}, 'w').close()\nwhile True: pass\n"
    exercise_files.save(watch.exercise, code)
    wait_until(is_running.exists)

    assert watch.interrupt() == 1
    assert watch.lines[-1].startswith("Watching ")  # and no traceback after it
