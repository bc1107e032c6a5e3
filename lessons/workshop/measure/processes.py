"""Starts what is measured: servers of this package on free ports, and a copy of the project."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from lessons.workshop.course.lesson_index import PROJECT_DIR

MAX_OPEN_FILES = 16384  # more sockets than some systems allow a process by default


def start_program(module: str, *arguments: str) -> subprocess.Popen:
    """Start `python -m MODULE ARGUMENTS`. Its stdout is a pipe."""
    return _start_python(["-m", module, *arguments], cwd=PROJECT_DIR)


def _start_python(arguments: Sequence[str], **options) -> subprocess.Popen:
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *arguments], **pipes, **options)


class Server:
    """A running program of measure/servers, which prints the port that it listens on."""

    def __init__(self, program: str, *arguments: str):
        self.name = arguments[0]
        self.process = start_program(f"lessons.workshop.measure.servers.{program}", *arguments)
        self._statistics = psutil.Process(self.process.pid)

    def wait_until_it_listens(self) -> None:
        for line in self.process.stdout:
            if line.startswith("port "):
                self.port = int(line.split()[1])
                return
        raise RuntimeError(f"{self.name} did not start")

    def processor_seconds(self) -> float:
        """Processor time of the server until now. Other load on the machine does not count."""
        times = self._statistics.cpu_times()
        return times.user + times.system

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@contextmanager
def servers(program: str, *argument_lists) -> Iterator[list[Server]]:
    """One server of the program for each list of arguments, until the context ends."""
    raise_file_limit()
    started = [Server(program, *arguments) for arguments in argument_lists]
    try:
        for server in started:
            server.wait_until_it_listens()
        yield started
    finally:
        for server in started:
            server.stop()


def raise_file_limit() -> None:
    """Allow many sockets to this process and to the processes that it starts from now on."""
    with suppress(ImportError):  # Windows has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MAX_OPEN_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < limit:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


class ProjectCopy:
    """A copy of the project in its own folder. It runs manage.py and pytest as a student does."""

    def __init__(self, folder: Path):
        self.folder = folder
        # Python keeps bytecode here, as it does on a student's machine from the second run on.
        self.environment = {
            name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
        }

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start `python ARGUMENTS`. Its output is a pipe of lines."""
        return _start_python(
            arguments, cwd=self.folder, env=self.environment, stderr=subprocess.STDOUT
        )

    def run(self, *arguments: str) -> str:
        """Run `python ARGUMENTS` and return its output. Any exit code but 0 raises RuntimeError."""
        process = self.start(*arguments)
        output, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{output}")
        return output


@contextmanager
def project_copy() -> Iterator[ProjectCopy]:
    """A fresh copy without the student's files and hidden folders (git, state, environment)."""
    left_out = shutil.ignore_patterns(".*", "__pycache__", "work")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        shutil.copytree(PROJECT_DIR, copy, ignore=left_out)
        yield ProjectCopy(copy)
