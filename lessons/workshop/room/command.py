"""What `manage.py room` does: prepares the room, says how to enter it, and serves it."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from lessons.workshop.course.lesson_index import MANAGE
from lessons.workshop.room.address import PROXY, Address
from lessons.workshop.room.export import write_export
from lessons.workshop.room.models import Class
from lessons.workshop.room.server import Certificate, serve
from lessons.workshop.room.store import classes, instructors
from lessons.workshop.setup import atomic_write, virtual_environment
from lessons.workshop.setup.network_access import Mode
from lessons.workshop.terminal.workshop import Write, explained_database_errors, free_port, migrate

FIRST_CLASS = "Class 1"
ABORTED = 1


@dataclass(frozen=True)
class Options:
    """What the command line says about the server."""

    host: str
    port: int
    listen: str | None
    certificate: Certificate | None
    plain_http: bool

    @property
    def https(self) -> str:
        """For DJANGO_HTTPS: where TLS ends."""
        if self.certificate:
            return str(self.port)
        return os.environ.get("DJANGO_HTTPS", "").strip().lower()

    @property
    def address(self) -> Address:
        return Address.of(self.host, self.listen, self.https)

    @classmethod
    def read(
        cls,
        *,
        host: str,
        port: int,
        listen: str | None,
        certificate: str | None,
        key: str | None,
        plain_http: bool,
    ) -> "Options":
        """Raises CommandError where the room would not be safe."""
        if (certificate is None) != (key is None):
            raise CommandError("Give both: --certificate FILE --key FILE", returncode=2)
        pair = Certificate(Path(certificate), Path(key)) if certificate and key else None
        if pair:
            pair.check()
        options = cls(host, port, listen, pair, plain_http)
        if not pair and options.https not in {"", PROXY}:
            reason = f"DJANGO_HTTPS={options.https} needs --certificate FILE and --key FILE."
            raise CommandError(reason, returncode=2)
        address = options.address
        if not (options.https or address.is_loopback or plain_http):
            raise CommandError(
                f"Without HTTPS, passwords and codes would cross the network readable. Either "
                f"give a certificate: {MANAGE} room --host {host} --certificate FILE --key FILE. "
                "Or let a proxy end TLS, and set DJANGO_HTTPS=proxy. Or, in a network that you "
                f"trust: {MANAGE} room --host {host} --plain-http",
                returncode=2,
            )
        if port or pair:  # Daphne itself takes any free port; for TLS the settings must know it
            number = free_port(address.listen, port)
            return cls(host, number, listen, pair, plain_http)
        return options


def run_room(options: Options, name: str | None, pseudonyms: bool, write: Write, warn: Write):
    """Serve the room until Ctrl-C. Raises CommandError."""
    enter_mode(options)
    with explained_database_errors():
        prepare_tables(write)
        for old in classes.delete_old_classes():
            days = classes.KEPT_FOR.days
            write(f"The class {old} was deleted: it was not used for {days} days.")
        if name or not Class.objects.exists():
            classes.create_class(valid_name(name or FIRST_CLASS), pseudonyms)
        password = instructors.create_first_instructor()
        rooms = list(Class.objects.order_by("name"))
    if not options.https and not options.address.is_loopback:
        warn("Warning: without HTTPS, passwords and reports cross the network readable.")

    def on_ready(port: int) -> None:
        url = options.address.url(port, options.https)
        lines = explain(url, options.address.other_addresses, password, rooms)
        for line in [*lines, f"Room ready at {url}/room/"]:
            write(line)
        sys.stdout.flush()

    serve(options.address.listen, options.port, options.certificate, on_ready)


def enter_mode(options: Options | None = None) -> None:
    """Continue as a room under the names of the options. The settings read them only once."""
    hosts = os.environ.get("DJANGO_ALLOWED_HOSTS", "")
    changes = {"DJANGO_MODE": Mode.ROOM}
    if options:
        names = [name for name in options.address.names if name not in settings.LOOPBACK]
        known = [name.strip() for name in hosts.split(",") if name.strip()]
        changes["DJANGO_ALLOWED_HOSTS"] = ",".join(dict.fromkeys([*known, *names]))
        changes["DJANGO_HTTPS"] = options.https
    if any(os.environ.get(variable, "") != value for variable, value in changes.items()):
        os.environ.update(changes)
        arguments = list(sys.argv)
        if options and options.certificate:  # the port that the settings now have
            arguments += ["--port", str(options.port)]
        sys.exit(virtual_environment.replace_process([sys.executable, *arguments]))


def prepare_tables(write: Write) -> None:
    """Create the tables. Only this user may read the file: it has names, code and reports."""
    if not settings.DATABASE_URL:
        Path(settings.DATABASES["default"]["NAME"]).touch(0o600)
    migrate(write)


def explain(url: str, others: list[str], password: str | None, rooms: list[Class]) -> list[str]:
    """How the instructor and the students enter. `others` are further addresses of this machine."""
    account = instructors.FIRST
    known = f"password {password}" if password else "with the password that you have set"
    lines = [f"Board: {url}/room/", f"Sign in as {account}, {known}."]
    for room in rooms:
        lines += [
            f"Class {room.name}, code {room.code}. A student joins with:",
            f"  {MANAGE} workshop --join {url} {room.code} --name NAME",
        ]
    if others:
        lines.append(f"If students cannot reach this address, try {' or '.join(others)}.")
    return lines


def valid_name(name: str) -> str:
    """Raises CommandError if no class can have this name."""
    try:
        return classes.valid_name(name)
    except classes.InvalidClassName as error:
        raise CommandError(str(error), returncode=2) from None


def add_instructor(name: str, write: Write) -> None:
    """Create an account for the board, or give an existing one its password back."""
    enter_mode()
    with explained_database_errors():
        prepare_tables(write)
        try:
            password = instructors.set_password(name)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=2) from None
    write(f"Sign in as {name}, password {password}.")


def export(name: str, folder: str, write: Write) -> None:
    """Write the tables and the page of a class into a folder. Raises CommandError."""
    enter_mode()
    with explained_database_errors():
        prepare_tables(write)
        found = _find_class(name)
        try:
            files = write_export(found, Path(folder))
        except OSError as error:
            raise CommandError(atomic_write.explain_os_error(error)) from None
    for file in files:
        write(f"Written: {file}")


def delete(name: str, confirmed: bool, write: Write) -> None:
    """Delete a class after a question. Raises CommandError."""
    enter_mode()
    with explained_database_errors():
        prepare_tables(write)
        found = _find_class(name)
        held = classes.contents(found)
        if not confirmed and not _agrees(f"Delete the class {name} with {held}? [y/N] "):
            raise CommandError("Nothing was deleted.", returncode=ABORTED)
        classes.delete_class(found)
    write(f"The class {name} was deleted, with {held}.")


def _find_class(name: str) -> Class:
    try:
        return classes.find_class(name)
    except classes.UnknownClass as error:
        raise CommandError(str(error), returncode=2) from None


def _agrees(question: str) -> bool:
    try:
        return input(question).strip().lower() in {"y", "yes"}
    except EOFError:
        return False
