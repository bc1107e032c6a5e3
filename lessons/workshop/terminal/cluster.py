"""`manage.py cluster`: a Redis server, two web servers and a worker, which end together.

The output of the web servers and of the worker is one log.
"""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import ExitStack

from django.conf import settings
from django.core.management.base import CommandError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from lessons.workshop.setup.redis_server import RedisServer
from lessons.workshop.terminal.workshop import Write, free_port, prepare, require_workshop

HOST = "127.0.0.1"
CHANNELS = ("primes",)  # the worker's channels: those of lesson 15
END_TIMEOUT = 5.0  # seconds until a process that does not end is killed
MAX_LINE = 1024**2  # bytes of a line of the log


def run_cluster(port: int, write: Write, warn: Write) -> None:
    """Run until a web server ends or a signal arrives. Raises SystemExit or CommandError."""
    require_workshop()
    ports = free_ports(port)
    require_redis()
    prepare(write, warn)
    with ExitStack() as stack:
        supervise(ports, settings.REDIS_URL or stack.enter_context(RedisServer()).url)
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
    """Raise CommandError if no server answers at REDIS_URL, RedisUnavailable if none can start."""
    if not settings.REDIS_URL:
        RedisServer()
        return
    try:
        with Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0)) as client:
            client.ping()
    except (RedisError, ValueError) as error:
        raise CommandError(f"REDIS_URL leads to no Redis: {error}") from None


def supervise(ports: list[int], redis_url: str) -> None:
    """Run until a web server ends. Raises SystemExit when a signal arrives."""
    sys.stdout.reconfigure(errors="replace")
    if number := asyncio.run(_run_all(ports, redis_url)):
        sys.exit(128 + number)


async def _run_all(ports: list[int], redis_url: str) -> int:
    """Returns the signal that arrived, or 0. Ctrl-C reaches the web servers, too."""
    loop = asyncio.get_running_loop()
    arrived = loop.create_future()

    def note(number: int) -> None:
        if not arrived.done():
            arrived.set_result(number)

    def handle(number: int, _frame) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(note, number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    # What each process must know: where Redis is, and where a page finds both web servers.
    known = {"REDIS_URL": redis_url, "CLUSTER_PORTS": ",".join(map(str, ports))}
    environment = {**os.environ, **known, "PYTHONUNBUFFERED": "1"}

    def start(name: str, *words: str) -> asyncio.Task:
        return asyncio.create_task(_run(name, [sys.executable, "manage.py", *words], environment))

    worker = start("worker", "runworker", *CHANNELS)
    servers = [start(f"web {one}", "runserver", f"{HOST}:{one}", "--noreload") for one in ports]
    try:
        await asyncio.wait([*servers, arrived], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (worker, *servers):
            task.cancel()
        await asyncio.gather(worker, *servers, return_exceptions=True)
    return arrived.result() if arrived.done() else 0


async def _run(name: str, command: list[str], environment: dict[str, str]) -> None:
    """Run a process and copy its output, until it ends or this task is cancelled."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=settings.BASE_DIR,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        limit=MAX_LINE,
    )
    _log(name, f"started (pid={process.pid})")
    try:
        async for line in process.stdout:
            _log(name, line.decode(errors="replace").rstrip())
        _log(name, f"stopped (rc={await process.wait()})")
    finally:
        await _end(process)


def _log(name: str, text: str) -> None:
    try:
        print(f"{name:<9} | {text}", flush=True)
    except OSError:  # the reader of the log has ended, as in `cluster | head -1`
        sys.exit(1)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_TIMEOUT)
        except TimeoutError:
            process.kill()
            await process.wait()
