"""Starts `manage.py workshop` as a person does, reads what it says, and presses Ctrl-C."""

import os
import queue
import signal
import threading
import time
from contextlib import suppress

from tests.support.programs.processes import piped

PATIENCE = 30  # seconds, only ever spent by a test that fails


class Workshop:
    """`manage.py workshop` in a process group of its own, as a terminal gives it."""

    def __init__(self, clone, *arguments):
        words = ["manage.py", "workshop", "--port", "0", *arguments]
        self.process = piped(words, cwd=clone, session=True)
        self.said = ""
        self._lines = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._reader.join()
        self.process.wait()
        self.process.stdout.close()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line)

    def says(self, words, patience=PATIENCE) -> str | None:
        """The line with these words; None when it does not come."""
        end = time.monotonic() + patience
        with suppress(queue.Empty):
            while True:
                line = self._lines.get(timeout=max(0, end - time.monotonic()))
                self.said += line
                if words in line:
                    return line
        return None

    def ready(self) -> str:
        """The address, once it says that it is ready."""
        line = self.says("Workshop ready at ")
        assert line, f"never ready:\n{self.said}"
        return line.split()[-1]

    def interrupt(self) -> int:
        """Press Ctrl-C; the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(PATIENCE)
