"""Starts the workshop: `manage.py workshop`, and what `cluster` and `runserver` share with it."""

import errno
import ipaddress
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.utils import autoreload

from lessons.core import bootstrap
from lessons.core.catalogue import ACCOUNTS
from lessons.core.exercise_copies import create_copies
from lessons.judge.daemon import judge_client

GROUPS = ("editors", "guests")  # lesson 20 queries them

Write = Callable[[str], object]  # writes one line


def run_workshop(host: str, port: int, reload: bool, write: Write, warn: Write) -> None:
    """Prepare everything, then serve until Ctrl-C. Raises CommandError."""
    require_allowed_host(host)
    # The reloader starts the server again at the same port. Without it, the server itself chooses:
    # no other program can take the port in between.
    number = free_port(host, port) if port or reload else 0
    address = f"{f'[{host}]' if ':' in host else host}:{number}"
    prepare(write, warn)
    with connect_to_judge(warn) if settings.WORKSHOP else nullcontext():
        serve(address, reload)


def prepare(write: Write, warn: Write) -> None:
    """Make everything ready that the servers need, and say what the student should know."""
    if bootstrap.is_inside() and bootstrap.is_stale():
        warn(
            "requirements.txt has changed since .venv was made from it. "
            "To install what is new: deactivate, then start again."
        )
    for line in create_copies():
        warn(line)
    prepare_database(write)


def connect_to_judge(warn: Write) -> AbstractContextManager:
    """Keep the judge running within the block, also while the reloader restarts the server."""
    try:
        return judge_client.connect()
    except judge_client.JudgeUnavailable as error:
        warn(f"Exercises are not judged when you save them: {error}")
        return nullcontext()


def prepare_database(write: Write) -> None:
    """Create or migrate the tables; in a workshop, also the accounts. Raises CommandError."""
    try:
        if _has_migrations_to_run():
            write("Preparing the database.")
            call_command("migrate", verbosity=0, interactive=False)
        if settings.WORKSHOP:
            create_accounts()
            names = " or ".join(ACCOUNTS)
            write(f"Sign in as {names}; the password is the name.")
    except DatabaseError as error:
        raise CommandError(
            f"{connection.settings_dict['NAME']}: {error}. Make its folder writable, with room "
            "on its disk, or move the file away, then start again."
        ) from None
    finally:
        connection.close()  # the reloader's child opens its own


def _has_migrations_to_run() -> bool:
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def create_accounts() -> None:
    """Create the accounts and groups that do not exist yet."""
    from django.contrib.auth.models import Group, User

    for name, rights in ACCOUNTS.items():
        if not User.objects.filter(username=name).exists():
            User.objects.create_user(name, password=name, **rights)
    for name in GROUPS:
        Group.objects.get_or_create(name=name)


def serve(address: str, reload: bool) -> None:
    """Run Daphne until Ctrl-C; with `reload`, restart it when code changes."""
    if not reload:
        call_command("runserver", address, use_reloader=False)
        return
    # At each change, the reloader runs this process's arguments again. Only where they name
    # runserver does it survive a syntax error, and the preparations need not be repeated.
    sys.argv[1:] = ["runserver", address]
    autoreload.run_with_reloader(None)


def require_allowed_host(host: str) -> None:
    """Raise CommandError where other machines would reach a workshop that allows only this one.

    ALLOWED_HOSTS alone does not protect it: a client that can connect can send any host name.
    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback and settings.ALLOWED_HOSTS == settings.LOOPBACK:
        raise CommandError(
            f"On {host}, other machines can reach this one, but DJANGO_ALLOWED_HOSTS allows no "
            "host name for it. Set it to this machine's name or address, or leave the host out."
        )


def free_port(host: str, port: int) -> int:
    """`port`, or any free port for 0. Raises CommandError where it is taken."""
    if not 0 <= port <= 65535:
        raise CommandError(f"There is no port {port}. The last one is 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as probe:
            return probe.getsockname()[1]
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"Port {port} is taken. Take another one: --port {port + 1}"
        else:
            reason = f"Cannot listen on {host}, port {port}: {error.strerror}"
        raise CommandError(reason) from None


def page_at(host: str, port: int) -> str:
    """The address to open in a browser."""
    if host in {"0.0.0.0", "::"}:
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
