"""`manage.py doctor`, for Django's list of commands: manage.py itself starts it without Django."""

import sys

from django.core.management.base import BaseCommand

from lessons.workshop.terminal import doctor


class Command(BaseCommand):
    help = doctor.HELP
    requires_system_checks = ()

    def handle(self, **options):
        if code := doctor.main([], options.get("stdout")):
            sys.exit(code)
