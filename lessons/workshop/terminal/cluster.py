"""`manage.py cluster`: a Redis server, two web servers and a worker, which end together.

honcho starts a process for each, copies the output of all into one log, and ends all when one ends.
Redis and the worker start again when they end, because `runworker` ends when it loses Redis. Each
process watches the supervisor, because a supervisor that is killed with SIGKILL ends no process:

    python -m lessons.workshop.terminal.cluster PID manage runserver ...
    python -m lessons.workshop.terminal.cluster PID keep SECONDS COMMAND ...
"""

import os
import runpy
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
from django.conf import settings
from django.core.management.base import CommandError
from honcho.manager import Manager
from honcho.printer import Printer
from redis import Redis
from redis.exceptions import ConnectionError, RedisError, TimeoutError

from lessons.workshop.setup import external_programs, redis_server
from lessons.workshop.terminal.workshop import Write, free_port, prepare, require_workshop

HOST = "127.0.0.1"
CHANNELS = ("primes",)  # the worker's channels: those of lesson 15
REDIS_TIMEOUT = 10.0  # seconds until Redis must answer
PAUSE = 3.0  # seconds before a restart: long enough to see what an outage does
INTERRUPTED = {128 + signal.SIGINT, 128 + signal.SIGTERM}  # exit codes


def run_cluster(port: int, write: Write, warn: Write) -> None:
    """Run until a process ends or a signal arrives. Raises SystemExit or CommandError."""
    require_workshop()
    ports = free_ports(port)
    require_redis()
    prepare(write, warn)
    with tempfile.TemporaryDirectory(prefix="cluster", ignore_cleanup_errors=True) as folder:
        code = supervise(ports, None if settings.REDIS_URL else Path(folder))
    if code in INTERRUPTED:
        sys.exit(code)
    raise CommandError("A process has ended, so all were stopped. The log says why.")


def free_ports(first: int) -> list[int]:
    """Two free ports, `first` and the next; any two for 0. Raises CommandError."""
    if first:
        return [free_port(HOST, first), free_port(HOST, first + 1)]
    ports: set[int] = set()
    while len(ports) < 2:
        ports.add(free_port(HOST, 0))
    return sorted(ports)


def require_redis() -> None:
    """Raise CommandError if no server answers at REDIS_URL, or if none can be started."""
    if not settings.REDIS_URL and not redis_server.find_binaries():
        raise CommandError(external_programs.REDIS.missing())
    if settings.REDIS_URL:
        try:
            wait_for_redis(settings.REDIS_URL, timeout=0)
        except (RedisError, ValueError) as error:
            raise CommandError(f"REDIS_URL leads to no Redis: {error}") from None


def supervise(ports: list[int], redis_folder: Path | None) -> int:
    """Run until one ends or a signal arrives. Returns its code, or 128 + the signal's number."""
    url = settings.REDIS_URL if redis_folder is None else redis_server.redis_url_of(redis_folder)
    # What each process must know: where Redis is, and where a page finds both web servers.
    known = {"REDIS_URL": url, "CLUSTER_PORTS": ",".join(map(str, ports))}
    environment = {**os.environ, **known, "PYTHONUNBUFFERED": "1"}
    sys.stdout.reconfigure(errors="replace")
    manager = Manager(_Log(sys.stdout))
    for name, command in commands(ports, redis_folder).items():
        is_windows = os.name == "nt"  # elsewhere, exec leaves no shell in between
        line = subprocess.list2cmdline(command) if is_windows else f"exec {shlex.join(command)}"
        manager.add_process(name, line, env=environment, cwd=str(settings.BASE_DIR))
    try:
        manager.loop()
    except Exception:  # the reader of the log has ended, or a signal came before all had started
        os._exit(1)  # all processes notice that the supervisor has ended
    return manager.returncode


class _Log(Printer):
    """honcho's log, without the numbers of the keepers: a user who kills Redis needs Redis' own.

    honcho also writes in its signal handler, perhaps in the middle of a write, where Python refuses
    to print. Such a message waits for the end of that write.
    """

    def __init__(self, output):
        super().__init__(output)
        self._waiting = []

    def write(self, message):
        if message.name == "system" and " started (pid=" in message.data:
            return
        self._waiting.append(message)
        if len(self._waiting) == 1:
            while self._waiting:
                super().write(self._waiting[0])
                del self._waiting[0]


def commands(ports: list[int], redis_folder: Path | None) -> dict[str, list[str]]:
    """The command of each process, by its name in the log."""
    start = [sys.executable, "-m", __name__, str(os.getpid())]
    keep = [*start, "keep", str(PAUSE)]
    named = {}
    if redis_folder:
        binary = redis_server.find_binaries()[0]
        named["redis"] = [*keep, *redis_server.command(binary, redis_folder)]
    for port in ports:
        named[f"web {port}"] = [*start, "manage", "runserver", f"{HOST}:{port}", "--noreload"]
    named["worker"] = [*keep, *start, "manage", "runworker", *CHANNELS]
    return named


def run_process(supervisor: int, kind: str, *arguments: str) -> None:
    """Run as one process of the cluster: a `manage.py` command, or the keeper of a command."""
    threading.Thread(target=_end_with, args=(supervisor,), daemon=True).start()
    if kind == "keep":
        _keep_running(float(arguments[0]), arguments[1:])
    try:
        wait_for_redis(os.environ["REDIS_URL"])
        sys.argv = ["manage.py", *arguments]
        runpy.run_path("manage.py", run_name="__main__")
    except (ConnectionError, TimeoutError) as error:  # as runworker raises it when it loses Redis
        sys.exit(f"{arguments[0]} needs Redis: {error}")


def _end_with(supervisor: int) -> None:
    """Wait until the supervisor ends; then end this process and all that it has started."""
    with suppress(psutil.NoSuchProcess):
        psutil.Process(supervisor).wait()
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _keep_running(pause: float, command: tuple[str, ...]) -> None:
    """Start the command again some seconds after each end, until SIGTERM."""
    while True:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        signal.signal(signal.SIGTERM, lambda *_, child=child: (child.terminate(), sys.exit(0)))
        print(f"started (pid={child.pid})", flush=True)
        code = child.wait()
        print(f"stopped (rc={code}), starts again in {pause:g} s", flush=True)
        time.sleep(pause)


def _end_with_parent() -> None:
    """Let Linux end this child with its parent. On other systems, a child outlives SIGKILL."""
    import ctypes

    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)


def wait_for_redis(url: str, timeout: float = REDIS_TIMEOUT) -> None:
    """Return as soon as a server answers there. Raises redis-py's ConnectionError."""
    until = time.monotonic() + timeout
    with Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
                return
            except ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)


if __name__ == "__main__":
    run_process(int(sys.argv[1]), *sys.argv[2:])
