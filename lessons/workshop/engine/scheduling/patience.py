"""A limit for code that may never end, which does not depend on how busy the machine is."""

import time

LOOK_INTERVAL = 0.1  # seconds between two looks
_IDLE = 0.001  # seconds of the processor that a process which only waits uses between two looks
_processor_time = time.process_time  # a student's code may replace it


class Patience:
    """It is over when this process has worked for `work` seconds, or has idled for `idle` seconds.

    On a busy machine a process works slowly, but it uses the processor between two looks.
    """

    def __init__(self, work: float, idle: float):
        self._last = _processor_time()
        self._end = self._last + work
        self._idle_looks = 0  # since it has worked
        self._most_looks = round(idle / LOOK_INTERVAL)

    def is_over(self) -> bool:
        """Look. To be called after each LOOK_INTERVAL."""
        last, self._last = self._last, _processor_time()
        self._idle_looks = self._idle_looks + 1 if self._last - last < _IDLE else 0
        return self._last >= self._end or self._idle_looks >= self._most_looks
