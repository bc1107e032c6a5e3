"""The servers that are measured: each a process of its own, on a port that was free."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from lessons.core.catalogue import PROJECT_DIR

OPEN_FILES = 8192  # more sockets at once than some systems allow before they are asked


def begin(program: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", program, *arguments],
        cwd=PROJECT_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


class Server:
    """A running server: `python -m PROGRAM NAME ...`, which says on which port it listens."""

    def __init__(self, name: str, program: str = "lessons.bench.served", arguments=()):
        self.name = name
        self.process = begin(program, name, *arguments)
        self.seen = psutil.Process(self.process.pid)

    def wait_until_it_listens(self) -> None:
        for line in self.process.stdout:
            if line.startswith("port "):
                self.port = int(line.split()[1])
                return
        raise RuntimeError(f"{self.name} did not start")

    def processor_seconds(self) -> float:
        """What it has used so far, whatever else the machine was busy with."""
        times = self.seen.cpu_times()
        return times.user + times.system

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@contextmanager
def servers(names, **kwargs) -> Iterator[list[Server]]:
    """Start all of them, and end them."""
    allow_many_files()
    started = [Server(name, **kwargs) for name in names]
    try:
        for server in started:
            server.wait_until_it_listens()
        yield started
    finally:
        for server in started:
            server.end()


def allow_many_files() -> None:
    """For this process and those that it starts from now on."""
    with suppress(ImportError):  # Windows has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
