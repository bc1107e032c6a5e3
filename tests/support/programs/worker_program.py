"""Reads what a real `manage.py runworker` prints."""

import threading

PATIENCE = 30  # seconds, only ever spent by a test that fails


class RealWorker:
    """A process that works; a context manager. `lines` holds what it has printed so far."""

    def __init__(self, process):
        self.process, self.lines, self._came = process, [], threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.end()
        self.process.stdout.close()

    def _read(self):
        for line in self.process.stdout:
            with self._came:
                self.lines.append(line.rstrip("\n"))
                self._came.notify_all()

    def says(self, beginning):
        """Wait until it has printed a line that begins so; all that it has printed by then."""

        def said():
            return any(line.startswith(beginning) for line in self.lines)

        with self._came:
            if not self._came.wait_for(said, PATIENCE):
                raise AssertionError(f"no line {beginning!r} in:\n" + "\n".join(self.lines))
            return list(self.lines)

    def end(self) -> int:
        """Wait until it has ended, and all that it printed has been read; its exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code
