"""`lesson watch`: a verdict at every save, a clean end."""

import os
import shutil
import signal
import threading

import pytest

from tests.support import exercise_files
from tests.support.programs import processes
from tests.support.programs.running_program import wait_until

TIMEOUT = 60  # seconds after which a silent watch is killed, and its test fails


class Watch:
    """A running `lesson watch`, which writes to a pipe."""

    def __init__(self, project, *arguments):
        self.exercise = project / "work" / "01_lamp.py"
        self.solved = (project / "lessons/01_lamp/solution.py").read_text()
        self.output, stdout = os.pipe()
        self.process = processes.start(
            ["manage.py", "lesson", "watch", *arguments],
            cwd=project,
            stdout=stdout,
            env=os.environ | {"NO_COLOR": "1"},
        )
        os.close(stdout)
        self._timer = threading.Timer(TIMEOUT, self.process.kill)
        self._timer.start()
        self._unread = ""

    def read_until(self, words):
        """What the watch prints, up to and including `words`."""
        while words not in self._unread:
            chunk = os.read(self.output, 65536)
            assert chunk, f"the watch ended before it printed {words!r}: {self._unread}"
            self._unread += chunk.decode()
        printed, _, self._unread = self._unread.partition(words)
        return printed + words

    def verdict(self):
        """The next verdict, up to its last line."""
        return self.read_until("Watching ")

    def save(self, text):
        exercise_files.save(self.exercise, text)

    def end(self, number=signal.SIGINT):
        """Send the signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait()

    def close(self):
        self._timer.cancel()
        self.process.kill()
        self.process.wait()
        os.close(self.output)


@pytest.fixture
def start(project):
    """`start(*arguments)`: a watch that ends with the test."""
    watches = []

    def start_it(*arguments):
        watches.append(Watch(project, *arguments))
        return watches[-1]

    yield start_it
    for watch in watches:
        watch.close()


def test_judges_at_every_save_and_ctrl_c_ends_it_with_the_code_of_the_verdict(start, capfd):
    watch = start("1")
    first = watch.verdict()
    assert "✗ repeats text" in first
    assert "\x1b" not in first  # a pipe gets no colours

    watch.exercise.write_text(watch.solved)  # in place
    watch.read_until("✓ repeats text")
    watch.exercise.write_text("class Lamp(:\n")
    watch.read_until("syntax-error")
    watch.save(watch.solved)  # by renaming
    watch.read_until("✓ repeats text")

    moved = watch.exercise.rename(watch.exercise.with_name("moved.py"))
    watch.read_until("The file does not exist  file-missing\nwork/01_lamp.py\n")
    moved.rename(watch.exercise)
    watch.read_until("✓ repeats text")
    watch.verdict()
    assert watch.end() == 0
    assert capfd.readouterr().err == ""


def test_ctrl_c_ends_it_during_a_verdict(start, capfd, tmp_path_factory):
    watch = start("1")
    watch.verdict()
    is_running = tmp_path_factory.mktemp("outside") / "is_running"  # no project to the exercise
    watch.save(f"open({str(is_running)!r}, 'w').close()\nwhile True: pass\n")
    wait_until(is_running.exists)

    assert watch.end() == 1
    assert capfd.readouterr().err == ""


def test_says_what_to_do_if_no_judge_can_be_started(start, project, capfd):
    state = project / ".workshop"
    shutil.rmtree(state, ignore_errors=True)
    state.write_text("a file where the folder should be")
    watch = start("1")
    assert watch.process.wait() == 2
    assert "To judge once: python3 manage.py lesson check 1" in capfd.readouterr().err
