"""Daphne with the room's application, with TLS if there is a certificate."""

import os
import re
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

from lessons.workshop.setup import atomic_write

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Certificate:
    """Two PEM files. The first may hold further certificates, up to a known authority."""

    file: Path
    key: Path

    def check(self) -> None:
        """Raise CommandError if a server cannot use them."""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                self.file, self.key, password=lambda: b""
            )
        except ssl.SSLError as error:
            reason = error.reason or str(error)
            raise CommandError(
                f"{self.file} and {self.key} are not a certificate and its key, both in PEM "
                f"format and without a password: {reason}.",
                returncode=2,
            ) from None
        except OSError as error:
            names = f"{self.file} or {self.key}"
            raise CommandError(f"Cannot read {names}: {error.strerror}.", returncode=2) from None

    def endpoint_options(self) -> dict[str, str]:
        """What Twisted's `ssl:` endpoint needs. It reads one certificate from each option."""
        options = {"privateKey": str(self.key), "certKey": str(self.file)}
        _, *others = _CERTIFICATE.findall(self.file.read_bytes()) or [b""]
        if others:
            chain = settings.STATE_DIR / "room_chain.pem"
            atomic_write.write(chain, b"\n".join(others) + b"\n")
            options["extraCertChain"] = str(chain)
        return options


def serve(
    listen: str, port: int, certificate: Certificate | None, on_ready: Callable[[int], None]
) -> None:
    """Serve until a signal arrives. `on_ready` gets the port; 0 as `port` takes any free one."""
    from daphne.server import Server  # it chooses Twisted's reactor, so it must come first
    from twisted.internet.endpoints import quoteStringArgument

    from lessons.workshop.room.asgi import application

    class RoomServer(Server):
        def listen_success(self, port):
            super().listen_success(port)
            on_ready(port.getHost().port)

        def listen_error(self, failure):
            print(f"Cannot listen: {failure.getErrorMessage()}", file=sys.stderr, flush=True)
            os._exit(1)  # in Twisted's callbacks, SystemExit would end nothing

    options = {"interface": listen, **(certificate.endpoint_options() if certificate else {})}
    words = [f"{name}={quoteStringArgument(value)}" for name, value in options.items()]
    endpoint = ":".join(["ssl" if certificate else "tcp", str(port), *words])
    RoomServer(application, endpoints=[endpoint]).run()
