"""`manage.py runserver`: Daphne's command, which also reports that it listens, or why not."""

import os
import sys

from daphne.management.commands.runserver import Command as DaphneRunserver
from daphne.server import Server

from lessons.cli.workshop import page_at, require_allowed_host


class AnnouncingServer(Server):
    """Prints the line that a person, a script or a test waits for."""

    def listen_success(self, port):
        super().listen_success(port)
        host, number = port.getHost().host, port.getHost().port
        print(f"Workshop ready at {page_at(host, number)}", flush=True)

    def listen_error(self, failure):
        # Like Django's runserver: under autoreload this is not the main thread, and sys.exit would
        # end only this thread.
        print(f"Cannot listen: {failure.getErrorMessage()}", file=sys.stderr, flush=True)
        os._exit(1)


class Command(DaphneRunserver):
    server_cls = AnnouncingServer

    def run(self, **options):
        require_allowed_host(self.addr)
        super().run(**options)
