"""`manage.py cluster`: a Redis server, two web servers and a worker, which end together.

The output of all is one log. Redis and the worker start again when they end, because `runworker`
ends when it loses Redis, and because a student may kill Redis to see an outage.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from lessons.workshop.setup import external_programs, redis_server
from lessons.workshop.terminal.workshop import Write, free_port, prepare, require_workshop

HOST = "127.0.0.1"
CHANNELS = ("primes",)  # the worker's channels: those of lesson 15
KEPT = ("redis", "worker")  # what starts again when it ends
REDIS_TIMEOUT = 10.0  # seconds until Redis must answer
END_TIMEOUT = 5.0  # seconds until a process that does not end is killed
PAUSE = 3.0  # seconds before a restart: long enough to see what an outage does
MAX_LINE = 1024**2  # bytes of a line of the log


def run_cluster(port: int, write: Write, warn: Write) -> None:
    """Run until a web server ends or a signal arrives. Raises SystemExit or CommandError."""
    require_workshop()
    ports = free_ports(port)
    require_redis()
    prepare(write, warn)
    with tempfile.TemporaryDirectory(prefix="cluster", ignore_cleanup_errors=True) as folder:
        supervise(ports, None if settings.REDIS_URL else Path(folder))
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
    """Run until a web server ends. Returns its code. Raises SystemExit when a signal arrives."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    sys.stdout.reconfigure(errors="replace")
    return asyncio.run(_run_all(ports, redis_folder))


async def _run_all(ports: list[int], redis_folder: Path | None) -> int:
    url = settings.REDIS_URL if redis_folder is None else redis_server.redis_url_of(redis_folder)
    # What each process must know: where Redis is, and where a page finds both web servers.
    known = {"REDIS_URL": url, "CLUSTER_PORTS": ",".join(map(str, ports))}
    environment = {**os.environ, **known, "PYTHONUNBUFFERED": "1"}
    tasks = []
    try:
        for name, command in commands(ports, redis_folder).items():
            tasks.append(asyncio.create_task(_keep_running(name, command, environment)))
            if name == "redis":
                await asyncio.to_thread(wait_for_redis, url)
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_running(name: str, command: list[str], environment: dict[str, str]) -> int:
    """Run a process and copy its output. One of KEPT starts again when it ends."""
    while True:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=settings.BASE_DIR,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            limit=MAX_LINE,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        _log(name, f"started (pid={process.pid})")
        try:
            async for line in process.stdout:
                _log(name, line.decode(errors="replace").rstrip())
            code = await process.wait()
        finally:
            await _end(process)
        if name not in KEPT:
            _log(name, f"stopped (rc={code})")
            return code
        _log(name, f"stopped (rc={code}), starts again in {PAUSE:g} s")
        await asyncio.sleep(PAUSE)


def commands(ports: list[int], redis_folder: Path | None) -> dict[str, list[str]]:
    """The command of each process, by its name in the log."""
    manage = [sys.executable, "manage.py"]
    named = {}
    if redis_folder:
        named["redis"] = redis_server.command(redis_server.find_binaries()[0], redis_folder)
    for port in ports:
        named[f"web {port}"] = [*manage, "runserver", f"{HOST}:{port}", "--noreload"]
    return {**named, "worker": [*manage, "runworker", *CHANNELS]}


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


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_TIMEOUT)
        except TimeoutError:
            process.kill()
            await process.wait()


def wait_for_redis(url: str, timeout: float = REDIS_TIMEOUT) -> None:
    """Return as soon as a server answers there. Raises redis-py's ConnectionError."""
    pause = 0.01  # seconds
    with Redis.from_url(url, retry=Retry(ConstantBackoff(pause), round(timeout / pause))) as client:
        client.ping()
