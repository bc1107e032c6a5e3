"""`manage.py runserver`: Daphne's command, which also reports that it listens, or why not."""

import os
import sys
import threading

from daphne.management.commands.runserver import Command as DaphneRunserver
from daphne.server import Server
from django.conf import settings
from django.utils.autoreload import autoreload_started

from lessons.workshop.member.room_link import link
from lessons.workshop.setup.network_access import PROXY_HEADERS, Mode, SettingsError
from lessons.workshop.terminal.workshop import page_at, require_allowed_host


class AnnouncingServer(Server):
    """Prints the line that a person, a script or a test waits for."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options, **(PROXY_HEADERS if settings.HTTPS else {}))

    def listen_success(self, port):
        super().listen_success(port)
        host, number = port.getHost().host, port.getHost().port
        print(f"Workshop ready at {page_at(host, number)}", flush=True)
        if settings.MODE is Mode.LOCAL:
            link.start()

    def listen_error(self, failure):
        # Like Django's runserver: under autoreload this is not the main thread, and sys.exit would
        # end only this thread.
        print(f"Cannot listen: {failure.getErrorMessage()}", file=sys.stderr, flush=True)
        os._exit(1)


class Command(DaphneRunserver):
    """Daphne's command. The reloader waits until the application has been imported.

    Django's reloader lists sys.modules in one thread while another thread imports the application.
    An import that fails takes its module out again, and the reloader may end with a KeyError.
    """

    server_cls = AnnouncingServer

    def run(self, **options):
        require_allowed_host(self.addr)
        self._imported = threading.Event()
        autoreload_started.connect(self._wait_until_imported)
        super().run(**options)

    def inner_run(self, *args, **options):
        try:
            super().inner_run(*args, **options)
        finally:
            self._imported.set()

    def get_application(self, options):
        try:
            # The application serves static files itself.
            return super().get_application({**options, "use_static_handler": False})
        except SettingsError as error:  # in the reloader's thread, it would end only this thread
            print(error, file=sys.stderr, flush=True)
            os._exit(1)
        finally:
            self._imported.set()

    def log_action(self, protocol, action, details):
        """Write no line for each request: the terminal is the student's. Django logs errors."""

    def _wait_until_imported(self, **_):
        self._imported.wait()
