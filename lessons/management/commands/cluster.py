"""`manage.py cluster`: Redis, two web servers and a worker, on one machine and in one log."""

import os
import shlex
import subprocess
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lessons.cli import cluster_process
from lessons.core import bootstrap, exercise_copies, redis_server
from lessons.management.address import free_port
from lessons.management.commands import workshop

HOST = "127.0.0.1"
CHANNELS = ("primes",)  # what the worker listens on: lesson 15's
INTERRUPTED = {130, 143}  # exit codes for Ctrl-C and SIGTERM


class Command(BaseCommand):
    help = "Start Redis, two web servers and a worker on this machine; they all end together."
    requires_system_checks = ()  # runserver makes them

    def add_arguments(self, parser):
        parser.add_argument(
            "--port",
            type=int,
            default=8000,
            help="8000: of the first web server, the second has the next; 0 takes any free ones",
        )

    def handle(self, *, port, **options):
        ports = free_ports(port)
        if bootstrap.is_inside() and bootstrap.is_stale():
            self.stderr.write("requirements.txt has changed: deactivate, then start again.")
        for line in exercise_copies.create_copies():
            self.stderr.write(line)
        with tempfile.TemporaryDirectory(prefix="cluster", ignore_cleanup_errors=True) as folder:
            url = settings.REDIS_URL or redis_server.url_of(Path(folder))
            own = [] if settings.REDIS_URL else [folder]
            require_redis()
            workshop.Command().prepare_database()
            code = run(parts(ports, own), environment(ports, url))
        if code in INTERRUPTED:
            sys.exit(code)
        raise CommandError("One part has ended, so all were stopped: its log says why.")


def free_ports(first: int) -> list[int]:
    """Two that nobody listens on. Raises CommandError."""
    if first:
        return [free_port(HOST, first), free_port(HOST, first + 1)]
    ports: set[int] = set()
    while len(ports) < 2:
        ports.add(free_port(HOST, 0))
    return sorted(ports)


def require_redis() -> None:
    """Raise CommandError where REDIS_URL leads nowhere, or where no server could be started."""
    from redis.exceptions import RedisError

    if not settings.REDIS_URL and not redis_server.binaries():
        raise CommandError(f"There is no Redis server on this machine: {redis_server.CURE}")
    if settings.REDIS_URL:
        try:
            cluster_process.wait_for_redis(settings.REDIS_URL, patience=0)
        except (RedisError, ValueError) as error:
            raise CommandError(f"REDIS_URL leads to no Redis: {error}") from None


def parts(ports: list[int], folder: list[str]) -> dict[str, list[str]]:
    """The words of each part's command, by its name in the log."""
    named = {"redis": ["redis", *folder]} if folder else {}
    for port in ports:
        named[f"web {port}"] = ["manage", "runserver", f"{HOST}:{port}", "--noreload"]
    named["worker"] = ["manage", "runworker", *CHANNELS]
    return named


def environment(ports: list[int], url: str) -> dict[str, str]:
    """What the parts have to know: where Redis is, and where a page finds both servers."""
    known = {"REDIS_URL": url, "CLUSTER_PORTS": ",".join(map(str, ports))}
    return {**os.environ, **known, "PYTHONUNBUFFERED": "1"}


def run(parts: dict[str, list[str]], environment: dict[str, str]) -> int:
    """Run all of them until one ends or somebody stops them; the exit code of the first."""
    from honcho.manager import Manager

    class Parts(Manager):
        def terminate(self):
            """Honcho's, which needs to know every part's number: until then, in a moment."""
            if self._all_started():
                super().terminate()
            else:
                threading.Timer(0.05, self.terminate).start()

        def kill(self):
            """Honcho's, and its own processes: one that was killed while it wrote to the log
            keeps the lock that each of the others needs to tell that its part has ended.
            """
            super().kill()
            for part in self._processes.values():
                part["process"].join(1)
                part["process"].kill()

        def _system_print(self, data):
            # Honcho's handler of Ctrl-C writes too, and none may while a line is being written.
            with suppress(RuntimeError):
                super()._system_print(data)

        # Honcho counts what its processes report; one that is killed reports nothing.

        def _any_stopped(self):
            return not all(part["process"].is_alive() for part in self._processes.values())

        def _all_stopped(self):
            return not any(part["process"].is_alive() for part in self._processes.values())

    manager = Parts()
    for name, words in parts.items():
        words = [sys.executable, "-m", "lessons.cli.cluster_process", str(os.getpid()), *words]
        manager.add_process(name, in_shell(words), env=environment, cwd=str(settings.BASE_DIR))
    try:
        manager.loop()
    except Exception:  # nobody reads the log any more, as in `manage.py cluster | head`
        with suppress(OSError):
            traceback.print_exc()
        os._exit(1)  # the parts see that and end; a usual exit would wait for them for ever
    return 1 if manager.returncode is None else manager.returncode  # None: nobody could tell it


def in_shell(words: list[str]) -> str:
    """A command line for the shell that Honcho starts; the part takes the shell's place."""
    return subprocess.list2cmdline(words) if os.name == "nt" else f"exec {shlex.join(words)}"
