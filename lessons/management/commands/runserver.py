"""`manage.py runserver`: Daphne's command, which also reports that it listens, or why not."""

import os
import sys
import threading

from daphne.management.commands.runserver import Command as DaphneRunserver
from daphne.server import Server
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.middleware.gzip import GZipMiddleware
from django.utils.autoreload import autoreload_started

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


class CompressingHandler(ASGIStaticFilesHandler):
    """Serves static files as Django does, and sends text compressed: the editor has 350 kB."""

    def serve(self, request):
        response = super().serve(request)
        if not response.get("Content-Type", "").startswith("text/"):
            return response
        return GZipMiddleware(lambda _: response).process_response(request, response)


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
            application = super().get_application(options)
            is_static = isinstance(application, ASGIStaticFilesHandler)
            return CompressingHandler(application.application) if is_static else application
        finally:
            self._imported.set()

    def _wait_until_imported(self, **_):
        self._imported.wait()
