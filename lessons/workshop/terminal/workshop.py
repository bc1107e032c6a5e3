"""Starts the workshop: `manage.py workshop`, and what `cluster` and `runserver` share with it."""

import errno
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.utils import autoreload

from lessons.workshop.course.lesson_index import MANAGE
from lessons.workshop.judge.daemon.judge_client import JudgeKeeper
from lessons.workshop.setup import virtual_environment
from lessons.workshop.setup.access_token import PARAMETER, token
from lessons.workshop.setup.network_access import Mode, is_loopback
from lessons.workshop.student import demo_accounts
from lessons.workshop.student.exercise_copies import create_copies

ANY_ADDRESS = ("0.0.0.0", "::")
CURE_OF_FILE = "Make its folder writable, with room on its disk, or move the file away"
CURE_OF_SERVER = "Start the PostgreSQL server, or correct the URL, or unset it for an SQLite file"

Write = Callable[[str], object]  # writes one line


def run_workshop(host: str, port: int, reload: bool, write: Write, warn: Write) -> None:
    """Prepare everything, then serve until Ctrl-C. Raises CommandError."""
    require_workshop()
    require_allowed_host(host)
    # The reloader starts the server again at the same port. Without it, the server itself chooses:
    # no other program can take the port in between.
    number = free_port(host, port) if port or reload else 0
    address = f"{f'[{host}]' if ':' in host else host}:{number}"
    prepare(write, warn)
    with JudgeKeeper(warn):
        if not reload:
            call_command("runserver", address, use_reloader=False)
            return
        # At each change, the reloader runs this process's arguments again. Only where they name
        # runserver does it survive a syntax error, and the preparations need not be repeated.
        sys.argv[1:] = ["runserver", address]
        autoreload.run_with_reloader(None)


def continue_in(mode: Mode, names: str) -> None:
    """Continue in this mode under these names. The settings read both only once."""
    os.environ.update(DJANGO_MODE=mode, DJANGO_ALLOWED_HOSTS=names)
    sys.exit(virtual_environment.replace_process([sys.executable, *sys.argv]))


def require_workshop() -> None:
    """Raise CommandError in a mode without a workshop."""
    if settings.MODE is Mode.ROOM:
        reason = f"DJANGO_MODE=room has no workshop. Unset it, or start the room: {MANAGE} room"
        raise CommandError(reason)


def prepare(write: Write, warn: Write) -> None:
    """Prepare what the servers need, and say what the student should know. Raises CommandError."""
    if virtual_environment.is_inside() and virtual_environment.is_stale():
        warn("requirements.txt has changed. To install what is new: deactivate, then start again.")
    for line in create_copies():
        warn(line)
    with explained_database_errors():
        call_command("migrate", verbosity=0, interactive=False)
        demo_accounts.create_accounts()
        write(demo_accounts.explain_accounts())
        if settings.MODE is Mode.SHARED:
            demo_accounts.require_safe_accounts()


@contextmanager
def explained_database_errors() -> Iterator[None]:
    """Raise CommandError for an error of the database in the block, and close the connection."""
    try:
        yield
    except DatabaseError as error:
        where, cure = connection.settings_dict["NAME"], CURE_OF_FILE
        if settings.DATABASE_URL:
            where, cure = "The database of DATABASE_URL", CURE_OF_SERVER
        reason = demo_accounts.reason_of(error)
        raise CommandError(f"{where}: {reason}. {cure}, then start again.") from None
    finally:
        connection.close()  # the reloader's child opens its own


def require_allowed_host(host: str) -> None:
    """Raise CommandError where other machines would reach a workshop that is for this one alone.

    ALLOWED_HOSTS does not protect it: a client that can connect can send any host name.
    """
    if not is_loopback(host) and settings.MODE is Mode.LOCAL:
        # The name that other machines use, as far as it can be guessed.
        name = socket.gethostname() if host in ANY_ADDRESS else host
        raise CommandError(
            f"On {host}, other machines can reach this one, but this workshop has no token. "
            f"Put it behind one: {MANAGE} workshop --share {name} --host {host}",
            returncode=2,
        )


def free_port(host: str, port: int) -> int:
    """`port`, or any free port for 0. Raises CommandError."""
    if not 0 <= port <= 65535:
        raise CommandError(f"There is no port {port}. The last one is 65535.", returncode=2)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as probe:
            return probe.getsockname()[1]
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"Port {port} is taken. Take another one: --port {port + 1}"
            raise CommandError(reason) from None
        raise CommandError(f"Cannot listen on {host}, port {port}: {error.strerror}") from None


def page_at(host: str, port: int) -> str:
    """The address to open in a browser. Of a shared workshop, it has the token."""
    names = [name for name in settings.ALLOWED_HOSTS if name not in settings.LOOPBACK]
    if settings.MODE is Mode.SHARED and names:
        host = names[0].lstrip(".")
    elif host in ANY_ADDRESS:
        host = "localhost"
    name = f"[{host}]" if ":" in host else host
    origin = f"https://{name}" if settings.HTTPS else f"http://{name}:{port}"
    query = f"?{PARAMETER}={token()}" if settings.MODE is Mode.SHARED else ""
    return f"{origin}/{query}"
