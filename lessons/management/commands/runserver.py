"""`manage.py runserver`: Daphne's, which says when it listens, and in one line why it cannot."""

import ipaddress
import os
import sys

from daphne.management.commands.runserver import Command as DaphneRunserver
from daphne.server import Server
from django.conf import settings
from django.core.management.base import CommandError


class AnnouncingServer(Server):
    """Says what a person, a script or a test waits for."""

    def listen_success(self, port):
        super().listen_success(port)
        host, number = port.getHost().host, port.getHost().port
        print(f"Workshop ready at {page_at(host, number)}", flush=True)

    def listen_error(self, failure):
        # As Django's own runserver does: under autoreload this is not the main thread, and
        # sys.exit would end nothing but that.
        print(f"Cannot listen: {failure.getErrorMessage()}", file=sys.stderr, flush=True)
        os._exit(1)


class Command(DaphneRunserver):
    server_cls = AnnouncingServer

    def run(self, **options):
        refuse_strangers(self.addr)
        super().run(**options)


def refuse_strangers(host: str) -> None:
    """Serve only this machine, unless somebody said by which names others may reach it.

    The host names that Django allows are no fence here: whoever can connect can send any name.
    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback and settings.ALLOWED_HOSTS == settings.LOOPBACK:
        raise CommandError(
            f"On {host} other machines reach this one, and DJANGO_ALLOWED_HOSTS names nothing that "
            "they may call it. Set it to this machine's name or address, or leave the host out."
        )


def page_at(host: str, port: int) -> str:
    """The address to open in a browser."""
    if host in {"0.0.0.0", "::"}:
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
