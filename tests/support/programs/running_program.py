"""Programs that tests run, each in its own process, and the lines that they print."""

import threading
import time

from lessons.workshop.course.lesson_index import PROJECT_DIR
from tests.support.programs.processes import start_with_pipe

TEST_TIMEOUT = 60  # seconds; only a test that fails waits this long


def wait_until(condition):
    """Check the condition again and again: the state of another process sends no notification."""
    end = time.monotonic() + TEST_TIMEOUT
    while not condition():
        assert time.monotonic() < end, "the condition was never true"
        time.sleep(0.01)


class RunningProgram:
    """`python -m MODULE ARGUMENTS`; a context manager. A thread reads the lines that it prints."""

    def __init__(self, module, *arguments):
        self.command = [module, *arguments]

    def __enter__(self):
        self.process = self.start()
        self.lines, self.lines_changed = [], threading.Condition()
        self.seen = 0  # lines that wait_for_words has passed
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        return start_with_pipe(["-m", *self.command], cwd=PROJECT_DIR)

    def wait_until_ready(self):
        """A subclass waits here for the line that says that the program is ready."""

    def __exit__(self, *error):
        self.process.terminate()
        self.wait_until_ended()

    def wait_until_ended(self) -> int:
        """The exit code, after all lines have been read."""
        code = self.process.wait(TEST_TIMEOUT)
        self.join_reader()
        return code

    def join_reader(self):
        """Wait until all lines have been read. If a child is left, its output never ends.

        Only the reader closes the pipe: to close it during a read would wait for ever.
        """
        self.reader.join(TEST_TIMEOUT)
        assert not self.reader.is_alive(), f"another process holds the output: {self.lines[-20:]}"

    def _read(self):
        with self.process.stdout as output:
            for line in output:
                with self.lines_changed:
                    self.lines.append(line.rstrip("\n"))
                    self.lines_changed.notify_all()

    def wait_for_line(self, beginning):
        """The rest of the first line with this beginning. The line is removed from `lines`."""

        def first():
            return next((line for line in self.lines if line.startswith(beginning)), None)

        with self.lines_changed:
            if not self.lines_changed.wait_for(first, TEST_TIMEOUT):
                raise AssertionError(f"no line {beginning!r} in:\n{self.output}")
            line = first()
            self.lines.remove(line)
        return line.removeprefix(beginning)

    def wait_for_words(self, words, timeout=TEST_TIMEOUT):
        """The next line that contains the words; None if it does not come in time."""

        def next_line():
            lines = enumerate(self.lines[self.seen :], self.seen + 1)
            return next(((number, line) for number, line in lines if words in line), None)

        with self.lines_changed:
            self.lines_changed.wait_for(next_line, timeout)
            self.seen, line = next_line() or (len(self.lines), None)
        return line

    @property
    def output(self):
        return "\n".join(self.lines)
