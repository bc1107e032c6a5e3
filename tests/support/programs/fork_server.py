"""A Python that has imported the project's dependencies, and forks the programs of tests.

    python fork_server.py FD

Each message on the socket FD is a JSON object with four file descriptors. Three become stdin,
stdout and stderr of the program. To the fourth, the server writes the process id and, later, the
exit code, one line each.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from contextlib import suppress

# No module of the project, none that needs settings, and no reactor: all programs would share it.
PRELOADED = [
    "autobahn.twisted.websocket",
    "daphne.access",
    "daphne.http_protocol",
    "daphne.ws_protocol",
    "twisted.web.http",
    "twisted.internet.asyncioreactor",
    "twisted.internet.endpoints",
    "channels.auth",
    "channels.generic.websocket",
    "channels.routing",
    "channels_redis.core",
    "channels_redis.pubsub",
    "django.contrib.admin",
    "django.contrib.auth.password_validation",
    "django.core.management",
    "django.db.backends.sqlite3.base",
    "django.template.backends.django",
    "django.test",
    "psutil",
    "rich.console",
    "rich.markdown",
    "tomllib",
]
MAX_MESSAGE = 65536  # bytes


def requests(server: socket.socket):
    """Yield the message and descriptors of a program, in the process that has to run it."""
    while True:
        message, fds, _, _ = socket.recv_fds(server, MAX_MESSAGE, 4)
        if not message:
            return
        if os.fork() == 0:
            server.close()
            *standard, status = fds
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            pid = os.fork()
            if pid == 0:
                os.close(status)
                yield json.loads(message), standard
                return
            for fd in standard:
                os.close(fd)
            os.write(status, f"{pid}\n".encode())
            os.write(status, f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n".encode())
            os._exit(0)
        for fd in fds:
            os.close(fd)


def become(program: dict, standard: list[int]) -> None:
    """Run the program as a new Python process would."""
    for number, fd in enumerate(standard):
        os.dup2(fd, number)
        os.close(fd)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if program["session"]:
        os.setsid()
    os.chdir(program["cwd"])
    os.environ.clear()
    os.environ.update(program["env"])
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    more = os.environ.get("PYTHONPATH", "")
    first, *arguments = program["words"]
    is_module = first == "-m"
    sys.argv = arguments if is_module else [first, *arguments]
    folder = program["cwd"] if is_module else os.path.dirname(os.path.abspath(first))
    sys.path[:0] = [folder, *filter(None, more.split(os.pathsep))]
    if is_module:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    del sys.path[0]
    for name in PRELOADED:
        with suppress(ImportError):  # the program itself reports a missing module, if it needs it
            importlib.import_module(name)
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for program, standard in requests(socket.socket(fileno=int(sys.argv[1]))):
        become(program, standard)
