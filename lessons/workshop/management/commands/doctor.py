"""`manage.py doctor`, for Django's list of commands: manage.py itself starts it without Django."""

import sys

from lessons.workshop.management.declared import DeclaredCommand
from lessons.workshop.terminal import doctor


class Command(DeclaredCommand):
    help = doctor.HELP

    def handle(self, **options):
        if code := doctor.main([]):
            sys.exit(code)
