"""Limits of a process that runs a student's code: memory, files, time, other processes."""

import os
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one process may use. `tasks` counts the threads and processes of its user."""

    memory: int  # bytes of address space
    file_size: int  # bytes of a file that it writes
    processor_time: int  # seconds
    open_files: int = 512
    niceness: int = 5  # the workshop and its other pages come first
    tasks: int | None = None


def limit_resources(limits: Limits) -> None:
    """Set the limits that this system has. Processes that this one starts have them, too."""
    with suppress(ImportError):
        import resource

        for name, limit in {
            "RLIMIT_AS": limits.memory,
            "RLIMIT_FSIZE": limits.file_size,
            "RLIMIT_NOFILE": limits.open_files,
            "RLIMIT_CPU": limits.processor_time,
            "RLIMIT_NPROC": limits.tasks,
            "RLIMIT_CORE": 0,
        }.items():
            if limit is not None:
                with suppress(AttributeError, ValueError, OSError):
                    resource.setrlimit(getattr(resource, name), (limit, limit))
        with suppress(OSError):
            os.nice(limits.niceness)
