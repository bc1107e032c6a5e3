"""What `manage.py room` does: prepares the room, says how to enter it, and serves it."""

import socket
import sys
from contextlib import suppress
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from django.http.request import split_domain_port
from django.utils import timezone

from lessons.workshop.room.models import KEPT_FOR, Class
from lessons.workshop.setup.network_access import Mode, is_loopback
from lessons.workshop.student.demo_accounts import password_of
from lessons.workshop.terminal.workshop import (
    Write,
    continue_in,
    explained_database_errors,
    free_port,
)

FIRST_CLASS = "Class 1"
INSTRUCTOR = "instructor"  # the account that each room has
ANY_ADDRESS = "0.0.0.0"
FAR_ADDRESS = "203.0.113.1"  # reserved for documentation (RFC 5737), so no machine has it


def run_room(host: str, port: int, plain_http: bool, name: str | None, write: Write) -> None:
    """Serve the room until Ctrl-C. Raises CommandError."""
    proxy = settings.HTTPS
    names = names_of(host)
    if not split_domain_port(names[0])[0]:
        raise CommandError(f"{host!r} is not a name or an address.", returncode=2)
    listens_locally = proxy or is_loopback(host)
    if not (listens_locally or plain_http):
        raise CommandError(
            "Without HTTPS, passwords and codes would cross the network readable. In a network "
            "that you trust, give this command --plain-http, too. Otherwise let a proxy on this "
            "machine end TLS, and set DJANGO_HTTPS=proxy.",
            returncode=2,
        )
    is_address = ":" in host or host.rpartition(".")[2].isdecimal()
    listen = host if is_address else ANY_ADDRESS
    if proxy or host == "localhost":
        listen = "127.0.0.1"
    port = free_port(listen, port) if port else 0
    enter_mode(names)
    with explained_database_errors():
        prepare_tables()
        delete_old_classes(write)
        if name or not Class.objects.exists():
            Class.objects.get_or_create(name=name or FIRST_CLASS)
        password = create_instructor()
        rooms = list(Class.objects.order_by("name"))
    if not listens_locally:
        write("Warning: without HTTPS, passwords and reports cross the network readable.")

    def on_ready(port: int) -> None:
        url = f"https://{names[0]}" if proxy else f"http://{names[0]}:{port}"
        write(explain(url, names[1:], password, rooms))
        sys.stdout.flush()

    serve(listen, port, on_ready)


def names_of(host: str) -> list[str]:
    """The names and addresses under which others reach the room; the first one is printed."""
    if host != ANY_ADDRESS:
        return [f"[{host}]" if ":" in host else host.lower()]
    names = [socket.gethostname().lower()]
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((FAR_ADDRESS, 9))  # of a datagram socket: nothing is sent
        names.insert(0, probe.getsockname()[0])
    return names


def enter_mode(names: list[str]) -> None:
    """Continue as a room that has these names, too, unless this process is one."""
    known = settings.ALLOWED_HOSTS
    if settings.MODE is not Mode.ROOM or not {*names} <= {*known}:
        continue_in(Mode.ROOM, ",".join([*known, *names]))


def prepare_tables() -> None:
    """Create the tables. Only this user may read the file: it has names and code.

    A file with the tables of another version is an error, which says which file to move away.
    """
    if not settings.DATABASE_URL:
        Path(settings.DATABASES["default"]["NAME"]).touch(0o600)
    call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
    for model in apps.get_app_config("room").get_models():
        model.objects.first()


def delete_old_classes(write: Write) -> None:
    old = Class.objects.filter(last_activity__lt=timezone.now() - KEPT_FOR)
    for one in old.order_by("name"):
        write(f"The class {one.name} was deleted: it was not used for {KEPT_FOR.days} days.")
    old.delete()


def create_instructor() -> str:
    """Create the account of the instructor, or give it its password again. Returns the password.

    The password follows from the room's secret key, so the room can print it at each start.
    """
    password = password_of(INSTRUCTOR)
    users = get_user_model().objects
    user, _ = users.update_or_create(username=INSTRUCTOR, defaults={"is_staff": True})
    if not user.check_password(password):  # a new password ends all sessions
        user.set_password(password)
        user.save()
    return password


def explain(url: str, others: list[str], password: str, rooms: list[Class]) -> str:
    """How the instructor and the students enter. `others` are further names of this machine."""
    lines = [f"Sign in as {INSTRUCTOR}, password {password}."]
    for room in rooms:
        lines.append(f"Class {room.name}: students join on the first page of their workshop,")
        lines.append(f"  address {url}, code {room.code}")
    if others:
        also = "or start the room with --host ADDRESS, another address of this machine"
        lines.append(f"If students cannot reach this address, try {others[0]}, {also}.")
    return "\n".join([*lines, f"Room ready at {url}/room/"])


def serve(listen: str, port: int, on_ready) -> None:
    """Serve until a signal arrives. `on_ready` gets the port; 0 as `port` takes any free one."""
    from lessons.workshop.page.reporting_server import ReportingServer
    from lessons.workshop.room.asgi import application

    class RoomServer(ReportingServer):
        def ready(self, host, port):
            on_ready(port)

    interface = listen.strip("[]").replace(":", r"\:")
    RoomServer(application, endpoints=[f"tcp:{port}:interface={interface}"]).run()
