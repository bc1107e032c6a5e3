"""`lesson watch`: a verdict at every save, whatever the editor; keys on a terminal; a clean end."""

import os
import signal
import threading

import pytest

from tests.support.programs import processes

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")
termios = pytest.importorskip("termios")

LIMIT = 30  # seconds after which a watch that says nothing is ended, and its test with it


class Watch:
    """A running `lesson watch`; on a terminal of its own when `on_terminal`, else in a pipe."""

    def __init__(self, project, *arguments, on_terminal=False):
        self.exercise = project / "work" / "01_lamp.py"
        self.solved = (project / "lessons/course/01_lamp/solution.py").read_text()
        if on_terminal:
            self.output, stdout = pty.openpty()
            stdin = stdout
            self.terminal = self.output
            self.settings = termios.tcgetattr(self.terminal)
        else:
            stdin = None
            self.output, stdout = os.pipe()
        self.process = processes.start(
            ["manage.py", "lesson", "watch", *arguments],
            cwd=project,
            stdin=stdin,
            stdout=stdout,
            env=os.environ | {"NO_COLOR": "1"},
        )
        os.close(stdout)
        self._timer = threading.Timer(LIMIT, self.process.kill)
        self._timer.start()
        self._unread = ""

    def read_until(self, words):
        """What the watch says up to and with `words`."""
        while words not in self._unread:
            chunk = os.read(self.output, 65536)
            assert chunk, f"the watch ended before it said {words!r}: {self._unread}"
            self._unread += chunk.decode()
        said, _, self._unread = self._unread.partition(words)
        return said + words

    def verdict(self):
        """The next verdict, up to its last line."""
        return self.read_until("Watching ")

    def press(self, key):
        os.write(self.terminal, key.encode())

    def end(self, number=signal.SIGINT):
        """The exit code after this signal."""
        self.process.send_signal(number)
        return self.process.wait()

    def close(self):
        self._timer.cancel()
        self.process.kill()
        self.process.wait()
        os.close(self.output)


@pytest.fixture
def start(project):
    """`start(*arguments)`: a watch, ended with the test."""
    watches = []

    def start_it(*arguments, on_terminal=False):
        watches.append(Watch(project, *arguments, on_terminal=on_terminal))
        return watches[-1]

    yield start_it
    for watch in watches:
        watch.close()


def test_judges_at_once_and_again_at_every_save(start):
    watch = start("1")
    assert "✗ repeats text" in watch.verdict()

    watch.exercise.write_text(watch.solved)
    assert "✓ repeats text" in watch.verdict()

    watch.exercise.write_text("class Lamp(:\n")
    assert "syntax-error" in watch.verdict()


def test_judges_a_file_that_is_saved_by_renaming(start):
    watch = start("1")
    watch.verdict()
    other = watch.exercise.with_name("01_lamp.py.tmp")
    other.write_text(watch.solved)
    other.rename(watch.exercise)

    assert "✓ repeats text" in watch.verdict()


def test_waits_for_a_file_that_is_moved_away_and_written_anew(start):
    watch = start("1")
    watch.verdict()
    watch.exercise.rename(watch.exercise.with_name("01_lamp.py~"))
    watch.exercise.write_text(watch.solved)

    assert "✓ repeats text" in watch.verdict()


def test_watches_the_first_lesson_that_is_not_green_by_default(start):
    assert "Lesson 1 lamp" in start().verdict()


def test_in_a_pipe_there_are_verdicts_alone(start):
    watch = start("1")

    said = watch.verdict()
    assert "\x1b" not in said
    assert watch.read_until("\n").endswith("work/01_lamp.py\n")
    assert watch.end() == 1
    assert os.read(watch.output, 65536).strip() == b""


@pytest.mark.parametrize(("solved", "code"), [(True, 0), (False, 1)])
def test_ctrl_c_ends_it_with_the_code_of_the_last_verdict(start, capfd, solved, code):
    watch = start("1")
    watch.verdict()
    watch.exercise.write_text(watch.solved if solved else "# nothing\n")
    watch.verdict()

    assert watch.end() == code
    assert capfd.readouterr().err == ""


def test_ctrl_c_during_a_verdict_ends_it_too(start, capfd):
    watch = start("1")
    watch.verdict()
    under_way = watch.exercise.with_name("under_way")
    os.mkfifo(under_way)
    watch.exercise.write_text(f"open({str(under_way)!r}, 'w').close()\nwhile True: pass\n")
    under_way.read_text()  # returns once the exercise runs

    assert watch.end() == 1
    assert capfd.readouterr().err == ""


def test_the_keys_ask_for_a_hint_the_list_and_another_verdict(start):
    watch = start("1", on_terminal=True)
    watch.read_until("q quit")
    watch.press("h")
    assert "Begin with" in watch.read_until("Left: 2.")
    watch.press("h")
    assert "Send" in watch.read_until("Left: 1.")
    watch.press("l")
    watch.read_until("3  buzzer")
    watch.press("c")
    watch.read_until("q quit")


def test_n_moves_on_to_the_next_lesson_until_the_last(start):
    watch = start("2", on_terminal=True)
    watch.read_until("q quit")
    watch.press("n")
    assert "Lesson 3 buzzer" in watch.read_until("q quit")
    watch.press("n")
    watch.read_until("This is the last lesson.")


def test_other_keys_and_arrows_do_nothing(start):
    watch = start("1", on_terminal=True)
    watch.read_until("q quit")
    for key in ("x", "\x1b[A", "\x1b[C", "\x1b[H", "\x1bOP", "ü", "\n"):
        watch.press(key)
    watch.press("l")

    assert watch.read_until("1  lamp").split() == ["✗", "1", "lamp"]


def test_single_keys_are_read_again_after_ctrl_z(start):
    watch = start("1", on_terminal=True)
    watch.read_until("q quit")
    watch.process.send_signal(signal.SIGSTOP)
    termios.tcsetattr(watch.terminal, termios.TCSANOW, watch.settings)  # as a shell does
    watch.process.send_signal(signal.SIGCONT)
    watch.press("l")

    watch.read_until("1  lamp")


def test_the_terminal_is_as_before_after_q(start):
    watch = start("1", on_terminal=True)
    watch.read_until("q quit")
    watch.press("q")

    assert watch.process.wait() == 1
    assert termios.tcgetattr(watch.terminal) == watch.settings


def test_the_terminal_is_as_before_after_sigterm(start):
    watch = start("1", on_terminal=True)
    watch.read_until("q quit")

    assert watch.end(signal.SIGTERM) == 1
    assert termios.tcgetattr(watch.terminal) == watch.settings
