"""Runs `manage.py workshop` as a user does, reads what it prints, and presses Ctrl-C."""

import os
import signal
from contextlib import suppress

from tests.support.programs.processes import start_with_pipe
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram


class Workshop(RunningProgram):
    """`manage.py workshop` in its own process group, as in a terminal."""

    def __init__(self, clone, *arguments):
        self.clone = clone
        self.command = ["manage.py", "workshop", "--port", "0", *arguments]
        self.seen = 0  # lines that wait_for_line has passed

    def start(self):
        return start_with_pipe(self.command, cwd=self.clone, session=True)

    def __exit__(self, *_):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        super().__exit__()

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for_line(self, words, timeout=TEST_TIMEOUT) -> str | None:
        """The next line that contains the words; None if it does not come in time."""

        def next_line():
            lines = enumerate(self.lines[self.seen :], self.seen + 1)
            return next(((number, line) for number, line in lines if words in line), None)

        with self.lines_changed:
            self.lines_changed.wait_for(next_line, timeout)
            self.seen, line = next_line() or (len(self.lines), None)
        return line

    def address(self) -> str:
        """Wait until the workshop is ready. Returns its address."""
        line = self.wait_for_line("Workshop ready at ")
        assert line, f"never ready:\n{self.output}"
        return line.split()[-1]

    def interrupt(self) -> int:
        """Press Ctrl-C. Returns the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(TEST_TIMEOUT)
