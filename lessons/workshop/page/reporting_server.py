"""Daphne for the workshop and the room. Import it late: Daphne chooses Twisted's reactor."""

import os
import sys

from daphne.server import Server
from django.conf import settings


class ReportingServer(Server):
    """Calls `ready(host, port)` when it listens. Says why if it cannot, and ends the process.

    Behind a proxy, the address of a client is the one that the proxy sees.
    """

    def __init__(self, *args, **options):
        if settings.HTTPS:
            options["proxy_forwarded_address_header"] = "X-Forwarded-For"
        super().__init__(*args, **options)

    def listen_success(self, port):
        super().listen_success(port)
        self.ready(port.getHost().host, port.getHost().port)

    def listen_error(self, failure):
        # Like Django's runserver: in Twisted's callbacks and in the reloader's thread, sys.exit
        # would not end the process.
        print(f"Cannot listen: {failure.getErrorMessage()}", file=sys.stderr, flush=True)
        os._exit(1)
