"""`manage.py cluster`: a Redis server, two web servers and a worker, which end together.

`supervise` starts one process for each and copies the output of all into one log. Each process runs
`run_process` of this module. It watches the supervisor, because a supervisor that is killed with
SIGKILL cannot end its processes itself:

    python -m lessons.cli.cluster PID manage runserver ...
    python -m lessons.cli.cluster PID redis FOLDER
"""

import asyncio
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import cycle
from pathlib import Path

import psutil
from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.color import supports_color
from django.utils.termcolors import colorize

from lessons.cli.workshop import Write, free_port, prepare
from lessons.core import redis_server

HOST = "127.0.0.1"
CHANNELS = ("primes",)  # the worker's channels: those of lesson 15
SYSTEM = "system"  # the supervisor's own lines in the log
COLOURS = ("white", "cyan", "yellow", "green", "magenta")  # of the names in the log
KILL_TIMEOUT = 5.0  # seconds until a process that ignores SIGTERM is killed
REDIS_TIMEOUT = 10.0  # seconds until Redis must answer
INTERRUPTED = {128 + signal.SIGINT, 128 + signal.SIGTERM}  # exit codes


def run_cluster(port: int, write: Write, warn: Write) -> None:
    """Run until a process ends or a signal arrives. Raises SystemExit or CommandError."""
    ports = free_ports(port)
    require_redis()
    prepare(write, warn)
    with tempfile.TemporaryDirectory(prefix="cluster", ignore_cleanup_errors=True) as folder:
        url = settings.REDIS_URL or redis_server.redis_url_of(Path(folder))
        redis_folder = None if settings.REDIS_URL else folder
        code = asyncio.run(supervise(commands(ports, redis_folder), environment(ports, url)))
    if code in INTERRUPTED:
        sys.exit(code)
    raise CommandError("One process has ended, so all were stopped. The log says why.")


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
    from redis.exceptions import RedisError

    if not settings.REDIS_URL and not redis_server.find_binaries():
        raise CommandError(f"There is no Redis server on this machine: {redis_server.INSTALL_HINT}")
    if settings.REDIS_URL:
        try:
            wait_for_redis(settings.REDIS_URL, timeout=0)
        except (RedisError, ValueError) as error:
            raise CommandError(f"REDIS_URL leads to no Redis: {error}") from None


def commands(ports: list[int], redis_folder: str | None) -> dict[str, list[str]]:
    """The arguments of `run_process` for each process, by its name in the log."""
    named = {"redis": ["redis", redis_folder]} if redis_folder else {}
    for port in ports:
        named[f"web {port}"] = ["manage", "runserver", f"{HOST}:{port}", "--noreload"]
    named["worker"] = ["manage", "runworker", *CHANNELS]
    return named


def environment(ports: list[int], url: str) -> dict[str, str]:
    """What each process must know: where Redis is, and where a page finds both web servers."""
    known = {"REDIS_URL": url, "CLUSTER_PORTS": ",".join(map(str, ports))}
    return {**os.environ, **known, "PYTHONUNBUFFERED": "1"}


async def supervise(commands: dict[str, list[str]], environment: dict[str, str]) -> int:
    """Run all until one ends or a signal arrives. Returns 1, or 128 + the signal's number."""
    loop = asyncio.get_running_loop()
    result = loop.create_future()

    def finish(code: int) -> None:
        if not result.done():
            result.set_result(code)

    for number in (signal.SIGINT, signal.SIGTERM):  # Windows has no loop.add_signal_handler
        signal.signal(number, lambda number, _: loop.call_soon_threadsafe(finish, 128 + number))
    log = _Log([SYSTEM, *commands], on_closed=partial(finish, 1))
    processes = {name: await _start(command, environment) for name, command in commands.items()}
    tasks = [
        asyncio.create_task(_follow(name, process, log, finish))
        for name, process in processes.items()
    ]
    code = await result
    for number in (signal.SIGTERM, signal.SIGKILL if os.name == "posix" else signal.SIGTERM):
        for process in processes.values():
            _send_signal(process, number)
        _, running = await asyncio.wait(tasks, timeout=KILL_TIMEOUT)
        if not running:
            break
    return code


async def _start(command: list[str], environment: dict[str, str]) -> asyncio.subprocess.Process:
    """Start it in a new process group: only the supervisor receives the terminal's Ctrl-C."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lessons.cli.cluster", str(os.getpid()), *command),
        env=environment,
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _send_signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Send a signal to the process and to all that it has started."""
    with suppress(ProcessLookupError, PermissionError):  # it has ended
        if os.name == "posix":
            os.killpg(process.pid, number)
        else:
            process.terminate()


async def _follow(
    name: str, process: asyncio.subprocess.Process, log: "_Log", finish: Callable[[int], None]
) -> None:
    """Copy the output of a process to the log until the process ends; then end all others."""
    log.write(SYSTEM, f"{name} started (pid={process.pid})")
    copying = asyncio.create_task(_copy_output(name, process.stdout, log))
    code = await process.wait()
    await asyncio.wait([copying], timeout=1)  # a grandchild may keep the pipe open
    log.write(SYSTEM, f"{name} stopped (rc={code})")
    finish(1)


async def _copy_output(name: str, output: asyncio.StreamReader, log: "_Log") -> None:
    rest = b""
    while chunk := await output.read(65536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            log.write(name, line.decode(errors="replace"))
    if rest:
        log.write(name, rest.decode(errors="replace"))


class _Log:
    """The output of all processes on stdout, each line after the time and the process's name."""

    def __init__(self, names: list[str], on_closed: Callable[[], None]):
        width = max(map(len, names))
        labels = [f"{name:<{width}} |" for name in names]
        if supports_color():
            pairs = zip(labels, cycle(COLOURS), strict=False)
            labels = [colorize(label, fg=colour) for label, colour in pairs]
        self._labels = dict(zip(names, labels, strict=True))
        self._on_closed = on_closed
        self._closed = False
        sys.stdout.reconfigure(errors="replace")

    def write(self, name: str, line: str) -> None:
        if self._closed:
            return
        try:
            print(f"{time.strftime('%H:%M:%S')} {self._labels[name]} {line}", flush=True)
        except OSError:  # the reader has ended, as in `manage.py cluster | head`
            self._closed = True
            self._on_closed()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python reports an error at exit


def run_process(supervisor: int, kind: str, *arguments: str) -> None:
    """Run as one process of the cluster: Redis, or a `manage.py` command that needs Redis."""
    folder = Path(arguments[0]) if kind == "redis" else None
    threading.Thread(target=_end_with, args=(supervisor, folder), daemon=True).start()
    if kind == "redis":
        sys.exit(_serve_redis(folder))
    wait_for_redis(os.environ["REDIS_URL"])
    sys.argv = ["manage.py", *arguments]
    runpy.run_path("manage.py", run_name="__main__")


def _end_with(supervisor: int, folder: Path | None) -> None:
    """Wait until the supervisor ends; then end this process and all that it has started."""
    with suppress(psutil.NoSuchProcess):
        psutil.Process(supervisor).wait()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _serve_redis(folder: Path) -> int:
    """Run a server on a socket file in `folder` and delete the folder at the end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # the server receives it too, and ends first
    server = subprocess.Popen(
        redis_server.command(redis_server.find_binaries()[0], folder),
        stdin=subprocess.DEVNULL,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )
    code = server.wait()
    shutil.rmtree(folder, ignore_errors=True)
    return code


def _end_with_parent() -> None:
    """Let Linux end the server with this process. On other systems, the server outlives SIGKILL."""
    import ctypes

    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)


def wait_for_redis(url: str, timeout: float = REDIS_TIMEOUT) -> None:
    """Return as soon as a server answers there. Raises redis-py's ConnectionError."""
    from redis import Redis
    from redis.exceptions import ConnectionError

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
