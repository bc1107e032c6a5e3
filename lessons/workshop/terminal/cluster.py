"""`manage.py cluster`: a Redis server, two web servers and a worker, which end together.

`supervise` starts one process for each and copies the output of all into one log. It starts Redis
and the worker again when they end, because `runworker` ends when it loses Redis. Each process runs
`run_process` of this module. It watches the supervisor, because a supervisor that is killed with
SIGKILL cannot end its processes itself:

    python -m lessons.workshop.terminal.cluster PID manage runserver ...
    python -m lessons.workshop.terminal.cluster PID redis FOLDER
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

from lessons.workshop.setup import external_programs, redis_server
from lessons.workshop.terminal.workshop import Write, free_port, prepare, require_workshop

HOST = "127.0.0.1"
CHANNELS = ("primes",)  # the worker's channels: those of lesson 15
SYSTEM = "system"  # the supervisor's own lines in the log
COLOURS = ("white", "cyan", "yellow", "green", "magenta")  # of the names in the log
KILL_TIMEOUT = 5.0  # seconds until a process that ignores SIGTERM is killed
REDIS_TIMEOUT = 10.0  # seconds until Redis must answer
RESTARTED = ("redis", "worker")  # a web server that ends has an error that a restart repeats
FIRST_PAUSE = 3.0  # seconds before a restart: long enough to see what an outage does
MAX_PAUSE = 30.0  # each pause is twice as long as the one before
STABLE_AFTER = 60.0  # seconds; after a longer run, the next pause is FIRST_PAUSE again
INTERRUPTED = {128 + signal.SIGINT, 128 + signal.SIGTERM}  # exit codes


def run_cluster(port: int, write: Write, warn: Write) -> None:
    """Run until a web server ends or a signal arrives. Raises SystemExit or CommandError."""
    require_workshop()
    ports = free_ports(port)
    require_redis()
    prepare(write, warn)
    with tempfile.TemporaryDirectory(prefix="cluster", ignore_cleanup_errors=True) as folder:
        url = settings.REDIS_URL or redis_server.redis_url_of(Path(folder))
        redis_folder = None if settings.REDIS_URL else folder
        # Daphne chooses a loop that cannot start processes on Windows.
        with asyncio.Runner(loop_factory=getattr(asyncio, "ProactorEventLoop", None)) as runner:
            named = commands(ports, redis_folder)
            code = runner.run(supervise(named, environment(ports, url)))
    if code in INTERRUPTED:
        sys.exit(code)
    raise CommandError("A web server has ended, so all were stopped. The log says why.")


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
        raise CommandError(external_programs.REDIS.missing())
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
    """Run all until a web server ends or a signal arrives. Returns 1, or 128 + the signal's number.

    Redis and the worker start again when they end.
    """
    loop = asyncio.get_running_loop()
    result = loop.create_future()

    def finish(code: int) -> None:
        if not result.done():
            result.set_result(code)

    for number in (signal.SIGINT, signal.SIGTERM):  # Windows has no loop.add_signal_handler
        signal.signal(number, lambda number, _: loop.call_soon_threadsafe(finish, 128 + number))
    log = _Log([SYSTEM, *commands], on_closed=partial(finish, 1))
    programs = [_Program(name, command, environment, log) for name, command in commands.items()]
    for program in programs:
        await program.start()
    tasks = [asyncio.create_task(program.follow(result, finish)) for program in programs]
    code = await result
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        for program in programs:
            program.send_signal(number)
        _, running = await asyncio.wait(tasks, timeout=KILL_TIMEOUT)
        if not running:
            break
    return code


class _Program:
    """One of the programs of the cluster: its process, or its next process after a restart."""

    def __init__(
        self, name: str, command: list[str], environment: dict[str, str], log: "_Log"
    ) -> None:
        self.name, self._command, self._environment, self._log = name, command, environment, log

    async def start(self) -> None:
        self._started_at = time.monotonic()
        self._process = await _start(self._command, self._environment)
        self._log.write(SYSTEM, f"{self.name} started (pid={self._process.pid})")

    async def follow(self, result: asyncio.Future, finish: Callable[[int], None]) -> None:
        """Copy its output to the log until it ends. Start it again, or end all external_programs.

        Return when it has ended and `result` is known.
        """
        pause = FIRST_PAUSE
        while True:
            await self._copy_until_it_ends()
            if self.name not in RESTARTED:
                finish(1)
            if result.done():
                return
            self.send_signal(signal.SIGTERM)  # a Redis server whose parent process was killed
            if time.monotonic() - self._started_at > STABLE_AFTER:
                pause = FIRST_PAUSE
            self._log.write(SYSTEM, f"{self.name} starts again in {pause:g} s")
            await asyncio.wait([result], timeout=pause)
            if result.done():
                return
            pause = min(2 * pause, MAX_PAUSE)
            await self.start()
            if result.done():  # the signal to all programs was sent before this one had started
                self.send_signal(signal.SIGTERM)

    async def _copy_until_it_ends(self) -> None:
        copying = asyncio.create_task(_copy_output(self.name, self._process.stdout, self._log))
        code = await self._process.wait()
        await asyncio.wait([copying], timeout=1)  # a grandchild may keep the pipe open
        self._log.write(SYSTEM, f"{self.name} stopped (rc={code})")

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and to all that it has started."""
        with suppress(ProcessLookupError, PermissionError):  # it has ended
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, number)
            else:
                self._process.terminate()


async def _start(command: list[str], environment: dict[str, str]) -> asyncio.subprocess.Process:
    """Start it in a new process group: only the supervisor receives the terminal's Ctrl-C."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lessons.workshop.terminal.cluster", str(os.getpid()), *command),
        env=environment,
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


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
    from redis.exceptions import ConnectionError, TimeoutError

    folder = Path(arguments[0]) if kind == "redis" else None
    threading.Thread(target=_end_with, args=(supervisor, folder), daemon=True).start()
    if kind == "redis":
        sys.exit(_serve_redis(folder))
    try:
        wait_for_redis(os.environ["REDIS_URL"])
        sys.argv = ["manage.py", *arguments]
        runpy.run_path("manage.py", run_name="__main__")
    except (ConnectionError, TimeoutError) as error:  # as runworker raises it when it loses Redis
        sys.exit(f"{arguments[0]} needs Redis: {error}")


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
    """Run a server on a socket file in `folder`."""
    server = subprocess.Popen(
        redis_server.command(redis_server.find_binaries()[0], folder),
        stdin=subprocess.DEVNULL,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )
    for number in (signal.SIGINT, signal.SIGTERM):  # this process ends after the server
        signal.signal(number, lambda *_: server.terminate())
    return server.wait()


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
