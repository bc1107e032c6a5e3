"""Runs modules as processes of their own, which need not import what most of them use.

`python -m tests.workshop.forked_program SOCKET` has imported that once, and forks itself for each
of them: what would import for half a second and more is there at once. It ends with the process
that has the other end of the socket.
"""

import atexit
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Nothing here needs settings, makes a loop or starts a thread. daphne.server itself would.
USED_BY_MOST = (
    "channels.generic.websocket",
    "channels.routing",
    "channels_redis.core",
    "channels_redis.pubsub",
    "daphne.access",
    "daphne.http_protocol",
    "daphne.ws_protocol",
    "django.core.asgi",
    "django.core.management",
    "django.db.backends.sqlite3.base",
    "django.forms",
    "django.template.backends.django",
    "markdown_it",
    "twisted.internet.asyncioreactor",
    "twisted.internet.endpoints",
)
LARGEST = 2**20  # bytes of a request: it holds an environment
ONE_AT_A_TIME = threading.Lock()


def begin(module, *arguments):
    """`python -m MODULE ARGUMENTS`: a process whose stdout has stderr in it."""
    if hasattr(os, "fork"):
        return ForkedProgram(module, *arguments)
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


class ForkedProgram:
    """What tests use of subprocess.Popen."""

    def __init__(self, module, *arguments, stderr=subprocess.STDOUT):
        tells_errors = stderr is not None  # else they go where those of the tests go
        request = json.dumps([module, arguments, dict(os.environ), tells_errors]).encode()
        output, its_output = os.pipe()
        self._fate, its_fate = Pipe(duplex=False)
        with ONE_AT_A_TIME:
            socket.send_fds(_requests(), [request], [its_output, its_fate.fileno()])
            os.close(its_output)
            its_fate.close()
            self.pid = self._fate.recv()
        self.stdout = open(output, encoding="utf-8")  # noqa: SIM115
        self.returncode, self._ending = None, threading.Lock()

    def poll(self):
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout=None):
        if self.returncode is None and not self._fate.poll(timeout):
            raise subprocess.TimeoutExpired(self.pid, timeout)
        with self._ending:
            if self.returncode is None:
                self.returncode = self._fate.recv()
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)


@cache
def _requests():
    """The socket of this process's own parent of programs."""
    own, its = socket.socketpair()
    parent = subprocess.Popen(
        [sys.executable, "-m", __name__, str(its.fileno())],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        pass_fds=[its.fileno()],
    )
    its.close()

    @atexit.register
    def end():
        own.shutdown(socket.SHUT_RDWR)  # also where a fork of this process has it open
        own.close()
        parent.wait()

    return own


def next_program(requests):
    """The request that a new process is to meet; nothing at the end."""
    while True:
        request, files, *_ = socket.recv_fds(requests, LARGEST, 2)
        if not request:
            return None
        if not os.fork():
            requests.close()
            return _begun(request, *files)
        for file in files:
            os.close(file)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _begun(request, output, fate):
    """The request, in a child of this process, which tells what becomes of it."""
    if program := os.fork():
        os.close(output)
        with Connection(fate) as told:
            told.send(program)
            told.send(os.waitstatus_to_exitcode(os.waitpid(program, 0)[1]))
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.close(fate)
    *program, tells_errors = json.loads(request)
    os.dup2(output, sys.stdout.fileno())
    if tells_errors:
        os.dup2(output, sys.stderr.fileno())
    os.close(output)
    return program


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the programs, and the tests
    for name in USED_BY_MOST:
        import_module(name)
    gc.freeze()
    if program := next_program(socket.socket(fileno=int(sys.argv[1]))):
        module, sys.argv[1:], environ = program
        os.environ.clear()
        os.environ.update(environ)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
