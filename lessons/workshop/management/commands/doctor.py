"""`manage.py doctor`, for Django's list of commands: manage.py itself starts it without Django."""

import sys

from django.core.management.base import BaseCommand

from lessons.workshop.terminal import doctor


class Command(BaseCommand):
    help = doctor.HELP
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="of the workshop (8000)")

    def handle(self, *, port, **options):
        if code := doctor.main(["--port", str(port)], options.get("stdout")):
            sys.exit(code)
