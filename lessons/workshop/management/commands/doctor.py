"""`manage.py doctor`: says what works here, what is missing, and what to type.

manage.py starts the same function without Django, so this command only serves Django's list of
commands and call_command().
"""

import sys

from django.core.management.base import BaseCommand

from lessons.workshop.terminal import doctor


class Command(BaseCommand):
    help = doctor.HELP
    requires_system_checks = ()

    def add_arguments(self, parser):
        doctor.add_options(parser)

    def handle(self, *, port, json, no_color, **options):
        code = doctor.run_doctor(options.get("stdout") or sys.stdout, port, json, no_color)
        if code:
            sys.exit(code)
