"""Runs a module as a process of its own, and reads what it prints."""

import threading
import time

from tests.support.programs.processes import begin

PATIENCE = 30  # seconds, only ever spent by a test that fails


def until(condition):
    """Wait for what nobody tells: the state of another process."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


class RealProgram:
    """`python -m MODULE ARGUMENTS`; a context manager."""

    def __init__(self, module, *arguments):
        self.words = [module, *arguments]

    def __enter__(self):
        self.process = begin(*self.words)
        self.lines, self.came = [], threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.begun()
        except BaseException:
            self.__exit__()
            raise
        return self

    def begun(self):
        """Wait until it is ready."""

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.process.stdout.close()

    def _read(self):
        for line in self.process.stdout:
            with self.came:
                self.lines.append(line.rstrip("\n"))
                self.came.notify_all()

    def says(self, beginning):
        """The rest of the first line that begins so; taken away, so that it is found once."""

        def found():
            return next((line for line in self.lines if line.startswith(beginning)), None)

        with self.came:
            if not self.came.wait_for(found, PATIENCE):
                raise AssertionError(f"no line {beginning!r} in:\n" + "\n".join(self.lines))
            line = found()
            self.lines.remove(line)
        return line.removeprefix(beginning)
