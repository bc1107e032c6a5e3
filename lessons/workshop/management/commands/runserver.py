"""`manage.py runserver`: Daphne's command, which also reports that it listens, or why not."""

import os
import sys
import threading

from daphne.management.commands.runserver import Command as DaphneRunserver
from django.conf import settings
from django.utils.autoreload import autoreload_started
from twisted.internet import reactor

from lessons.workshop.engine.process.child_process import clean_start_method
from lessons.workshop.member.room_link import link
from lessons.workshop.page.reporting_server import ReportingServer
from lessons.workshop.setup.network_access import Mode, SettingsError
from lessons.workshop.terminal.workshop import page_at, require_allowed_host


class AnnouncingServer(ReportingServer):
    """Prints the line that a person, a script or a test waits for."""

    def ready(self, host, port):
        clean_start_method()  # starts what plays conversations, before the first click
        print(f"Workshop ready at {page_at(host, port)}", flush=True)
        if settings.MODE is Mode.LOCAL:
            reactor.callLater(0, link.start)  # in the event loop, which does not run yet
            reactor.addSystemEventTrigger("before", "shutdown", link.stop)


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
