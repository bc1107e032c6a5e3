"""Starts the servers that are measured, and Daphne on a free port inside such a server."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from daphne.server import Server as DaphneServer

from lessons.workshop.course.lesson_index import PROJECT_DIR

MAX_OPEN_FILES = 16384  # more sockets than some systems allow a process by default
CONNECT_TIMEOUT = 20  # seconds


@contextmanager
def servers(module: str, argument_lists: Sequence[Sequence[str]]) -> Iterator[list[int]]:
    """A process `python -m MODULE ARGUMENTS` for each list of arguments, until the block ends.

    It prints `port NUMBER` as soon as it listens. Yields the ports.
    """
    with suppress(ImportError):  # Windows has no such limit
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MAX_OPEN_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    options = {"cwd": PROJECT_DIR, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
    processes = [
        subprocess.Popen([sys.executable, "-m", module, *arguments], text=True, **options)
        for arguments in argument_lists
    ]
    try:
        yield [_port_of(process) for process in processes]
    finally:
        for process in processes:
            with process:
                process.kill()


def _port_of(process: subprocess.Popen) -> int:
    for line in process.stdout:
        if line.startswith("port "):
            return int(line.split()[1])
    raise RuntimeError(f"{process.args} did not start")


class PortServer(DaphneServer):
    """Daphne, which prints `port NUMBER` as soon as it listens."""

    def listen_success(self, port):
        super().listen_success(port)
        print("port", port.getHost().port, flush=True)


def serve_with_daphne(application) -> None:
    """Serve on any free port until the process ends.

    Pings are off, because the clients send no pong. A handshake may take as long as the clients
    wait for it, so that a busy machine fails no handshake.
    """
    endpoint = "tcp:port=0:interface=127.0.0.1:backlog=1024"
    limits = {"ping_interval": 86400, "websocket_handshake_timeout": CONNECT_TIMEOUT}
    PortServer(application, endpoints=[endpoint], **limits).run()
