"""`manage.py workshop`: prepares everything, then serves the pages and the demos with Daphne."""

from django.core.management.base import BaseCommand

from lessons.cli import workshop


class Command(BaseCommand):
    help = "Start the workshop: the lessons in the browser, on this machine."
    requires_system_checks = ()  # runserver makes them

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="8000; 0 takes any free port")
        parser.add_argument("--host", default="127.0.0.1", help="127.0.0.1: only this machine")
        parser.add_argument(
            "--no-reload", dest="reload", action="store_false", help="do not watch for changed code"
        )

    def handle(self, *, host, port, reload, **options):
        workshop.run_workshop(host, port, reload, self.stdout.write, self.stderr.write)
