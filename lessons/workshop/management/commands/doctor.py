import sys

from lessons.workshop.management.declared import DeclaredCommand
from lessons.workshop.terminal.doctor import examine
from lessons.workshop.terminal.terminal_output import open_console


class Command(DeclaredCommand):
    help = "Say what works here, what is missing, and what to type."

    def handle(self, **options):
        sys.exit(examine(open_console(options.get("stdout") or sys.stdout)))
