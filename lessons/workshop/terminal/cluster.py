"""`manage.py cluster`: a Redis server, two web servers and a worker, which end together."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress

import psutil
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
INTERVAL = 0.1  # seconds between two looks whether a web server has ended
SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
    ports = {free_port(HOST, first)}
    while len(ports) < 2:
        ports.add(free_port(HOST, first + 1 if first else 0))
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
    for number in SIGNALS:
        signal.signal(number, _end)
    # What each process must know: where Redis is, and where a page finds both web servers.
    known = {"REDIS_URL": redis_url, "CLUSTER_PORTS": ",".join(map(str, ports))}
    options = {"cwd": settings.BASE_DIR, "env": os.environ | known, "stdin": subprocess.DEVNULL}
    commands = [("runserver", f"{HOST}:{port}", "--noreload") for port in ports]
    commands.append(("runworker", *CHANNELS))
    processes: list[psutil.Popen] = []
    try:
        for words in commands:
            processes.append(psutil.Popen([sys.executable, "manage.py", *words], **options))
        while [one.poll() for one in processes][: len(ports)] == [None] * len(ports):
            time.sleep(INTERVAL)
    finally:
        for one in processes:
            with suppress(psutil.NoSuchProcess):
                one.terminate()
        for one in psutil.wait_procs(processes, END_TIMEOUT)[1]:
            one.kill()


def _end(number: int, _frame) -> None:
    """End at the first signal: a second Ctrl-C must not leave a process behind."""
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    sys.exit(128 + number)
