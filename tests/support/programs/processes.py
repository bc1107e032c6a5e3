"""Starts `python manage.py ...` and `python -m ...` in a new process, and fast.

Most of a start is the import of Django, Channels and Twisted. On systems with fork, one process
imports them for all programs, see fork_server.py. Each program imports the project itself again.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from lessons.workshop.course.lesson_index import PROJECT_DIR

SEND_LOCK = threading.Lock()


def project_environment(**changes) -> dict[str, str]:
    """This process's environment, for a program outside the project that imports the project."""
    return os.environ | {"PYTHONPATH": str(PROJECT_DIR)} | changes


def start_program(module, *arguments, with_errors=True):
    """Start `python -m MODULE ARGUMENTS` with its stdout in a pipe; `with_errors`, stderr too."""
    return start_with_pipe(["-m", module, *arguments], cwd=PROJECT_DIR, with_errors=with_errors)


def start_with_pipe(words, *, with_errors=True, **place):
    """Start `python WORDS` with its stdout in a pipe; `with_errors`, stderr too."""
    ours, theirs = os.pipe()
    process = start(words, stdout=theirs, stderr=theirs if with_errors else None, **place)
    os.close(theirs)
    process.stdout = os.fdopen(ours, encoding="utf-8")
    return process


def start(words, *, cwd, stdin=None, stdout=None, stderr=None, env=None, session=False):
    """Start `python WORDS` with these files or descriptors. Returns an object like a Popen.

    By default it has no input, and prints to stdout and stderr of the tests. With `session` it has
    its own process group, as in a terminal.
    """
    with open(os.devnull) as nothing:
        stdin, stdout = stdin or nothing, stdout or sys.__stdout__
        stderr = stderr or sys.__stderr__
        if hasattr(socket, "send_fds"):
            return ForkedProcess(words, cwd, [stdin, stdout, stderr], env, session)
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr, env=env, start_new_session=session,
        )  # fmt: skip


def run(words, *, cwd, env=None) -> SimpleNamespace:
    """Run `python WORDS` to its end. Returns its returncode, stdout and stderr."""
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        code = start(words, cwd=cwd, stdout=stdout, stderr=stderr, env=env).wait()
        for file in (stdout, stderr):
            file.seek(0)
        return SimpleNamespace(returncode=code, stdout=stdout.read(), stderr=stderr.read())


class ForkedProcess:
    """A process that the fork server has started. It has the interface of a Popen."""

    def __init__(self, words, cwd, standard, env, session):
        program = {
            "words": [str(word) for word in words],
            "cwd": str(cwd),
            "env": dict(os.environ if env is None else env),
            "session": session,
        }
        ours, theirs = os.pipe()
        fds = [fd if isinstance(fd, int) else fd.fileno() for fd in standard]
        self._status = os.fdopen(ours, "rb", buffering=0)
        self.returncode = None
        with SEND_LOCK:  # two messages at once would mix in the stream
            socket.send_fds(fork_server(), [json.dumps(program).encode()], [*fds, theirs])
            os.close(theirs)
            self.pid = int(self._status.readline())

    def wait(self, timeout=None) -> int:
        """Its exit code. Raises TimeoutExpired if it still runs after `timeout` seconds."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            with self._status:
                self.returncode = int(self._status.readline())
        return self.returncode

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def send_signal(self, number) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has just ended, and its exit code arrives soon
                os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)


@cache
def fork_server() -> socket.socket:
    """The socket of the Python that forks the others. That Python ends with this process."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, Path(__file__).with_name("fork_server.py"), str(theirs.fileno())]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
