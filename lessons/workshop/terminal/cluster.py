"""`manage.py cluster`: a Redis server, two web servers and a worker, which end together.

The output of all is one log. Redis and the worker start again when they end, because `runworker`
ends when it loses Redis, and because a student may kill Redis to see an outage.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread

from django.conf import settings
from django.core.management.base import CommandError
from redis import Redis
from redis.exceptions import ConnectionError, RedisError

from lessons.workshop.setup import external_programs, redis_server
from lessons.workshop.terminal.workshop import Write, free_port, prepare, require_workshop

HOST = "127.0.0.1"
CHANNELS = ("primes",)  # the worker's channels: those of lesson 15
KEPT = ("redis", "worker")  # what starts again when it ends
REDIS_TIMEOUT = 10.0  # seconds until Redis must answer
END_TIMEOUT = 5.0  # seconds until a process that does not end is killed
PAUSE = 3.0  # seconds before a restart: long enough to see what an outage does
INTERRUPTED = (128 + signal.SIGINT, 128 + signal.SIGTERM)  # exit codes


def run_cluster(port: int, write: Write, warn: Write) -> None:
    """Run until a web server ends or a signal arrives. Raises SystemExit or CommandError."""
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
    """Run until a web server ends or a signal arrives. Returns its code, or 128 + the signal's."""
    url = settings.REDIS_URL if redis_folder is None else redis_server.redis_url_of(redis_folder)
    # What each process must know: where Redis is, and where a page finds both web servers.
    known = {"REDIS_URL": url, "CLUSTER_PORTS": ",".join(map(str, ports))}
    environment = {**os.environ, **known, "PYTHONUNBUFFERED": "1"}
    sys.stdout.reconfigure(errors="replace")
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    running: dict[str, subprocess.Popen] = {}
    ended, starting, is_over = SimpleQueue(), Lock(), Event()

    def keep_running(name: str, command: list[str]) -> None:
        """In a thread of its own: start a process, copy its output, and start it again."""
        while True:
            with starting:
                if is_over.is_set():
                    return
                process = running[name] = _start(command, environment)
            _log(name, f"started (pid={process.pid})")
            for line in process.stdout:
                _log(name, line.rstrip())
            code = process.wait()
            if name not in KEPT:
                _log(name, f"stopped (rc={code})")
                ended.put(code)
                return
            _log(name, f"stopped (rc={code}), starts again in {PAUSE:g} s")
            is_over.wait(PAUSE)

    try:
        for name, command in commands(ports, redis_folder).items():
            Thread(target=keep_running, args=(name, command), daemon=True).start()
            if name == "redis":
                wait_for_redis(url)
        return ended.get()
    except KeyboardInterrupt:
        return INTERRUPTED[0]
    except SystemExit as stopped:
        return stopped.code
    finally:
        with starting:
            is_over.set()
        _end(list(running.values()))


def commands(ports: list[int], redis_folder: Path | None) -> dict[str, list[str]]:
    """The command of each process, by its name in the log."""
    manage = [sys.executable, "manage.py"]
    named = {}
    if redis_folder:
        named["redis"] = redis_server.command(redis_server.find_binaries()[0], redis_folder)
    for port in ports:
        named[f"web {port}"] = [*manage, "runserver", f"{HOST}:{port}", "--noreload"]
    return {**named, "worker": [*manage, "runworker", *CHANNELS]}


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen:
    return subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )


def _end_with_parent() -> None:
    """Let Linux end this child with its parent. On other systems, a child outlives SIGKILL."""
    import ctypes

    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)


def _log(name: str, text: str) -> None:
    try:
        print(f"{name:<9} | {text}", flush=True)
    except OSError:  # the reader of the log has ended, as in `cluster | head -1`
        os._exit(1)  # all processes end with this one


def _end(processes: list[subprocess.Popen]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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
