"""Where the workshop may listen, and what to open in a browser."""

import errno
import ipaddress
import socket

from django.conf import settings
from django.core.management.base import CommandError


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


def free_port(host: str, port: int) -> int:
    """`port`, if nobody listens on it; for 0 one that is free."""
    if not 0 <= port <= 65535:
        raise CommandError(f"There is no port {port}: they end at 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as trial:
            return trial.getsockname()[1]
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
