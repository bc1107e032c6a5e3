"""Limits of the process that serves a student's code: memory, files, time, other processes."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress

from lessons.simulator.finding import Finding, Place, make_finding, place_on_stack

MAX_MEMORY = 2 * 1024**3  # bytes of address space
MAX_FILE = 256 * 1024**2  # bytes of a file that it writes
MAX_OPEN_FILES = 512
MAX_PROCESSOR_TIME = 600  # seconds
NICENESS = 5  # the workshop and its other pages come first
_STARTS_A_PROCESS = {
    *("os.posix_spawn", "os.spawn", "os.system", "os.exec", "subprocess.Popen", "pty.spawn"),
}


def limit_resources() -> None:
    """Set the limits that this system has."""
    with suppress(ImportError):
        import resource

        for name, limit in {
            "RLIMIT_AS": MAX_MEMORY,
            "RLIMIT_FSIZE": MAX_FILE,
            "RLIMIT_NOFILE": MAX_OPEN_FILES,
            "RLIMIT_CPU": MAX_PROCESSOR_TIME,
            "RLIMIT_CORE": 0,
        }.items():
            with suppress(AttributeError, ValueError, OSError):
                resource.setrlimit(getattr(resource, name), (limit, limit))
        with suppress(OSError):
            os.nice(NICENESS)


def refuse_programs(file: str, report: Callable[[Finding], object]) -> None:
    """From now on, an attempt to start a program raises PermissionError, and is reported.

    A program could outlive the page. The guard refuses forks. `file` is the student's.
    """

    def hook(event: str, arguments: tuple) -> None:
        if event in _STARTS_A_PROCESS:
            text = f"The workshop starts no process for an exercise: {event}"
            place = place_on_stack(file) or Place(file)
            report(make_finding("starts-a-process", place, detail=text))
            raise PermissionError(text)

    sys.addaudithook(hook)
