"""`manage.py workshop`: prepares everything, then serves the pages and the demos with Daphne."""

from django.conf import settings

from lessons.workshop.management.declared import FLAG, DeclaredCommand
from lessons.workshop.member.joining import Wish
from lessons.workshop.setup.network_access import Mode
from lessons.workshop.terminal import class_membership, workshop


class Command(DeclaredCommand):
    help = "Start the workshop: the lessons in the browser, on this machine."
    options = {
        "--port": {"type": int, "default": 8000, "help": "8000; 0 takes any free port"},
        "--host": {"default": "127.0.0.1", "help": "127.0.0.1: only this machine"},
        "--share": {
            "metavar": "NAME",
            "nargs": "?",
            "const": "",
            "help": "behind a token, for browsers that reach this machine as NAME, such as a.test",
        },
        "--no-reload": {
            "dest": "reload",
            "action": "store_false",
            "help": "do not watch for changed code",
        },
        "--join": {
            "nargs": 2,
            "metavar": ("URL", "CODE"),
            "help": "report to the class with this code in the room at URL",
        },
        "--name": {"default": "", "help": "your name in the class"},
        "--share-code": {**FLAG, "help": "let the instructor read your exercises"},
        "--leave": {**FLAG, "help": "leave the class, and end"},
    }

    def handle(self, *, host, port, share, reload, join, name, share_code, leave, **options):
        if join or leave:
            class_membership.require_local()
        if leave:
            class_membership.leave(self.stdout.write)
            return
        if share is not None and settings.MODE is Mode.LOCAL:
            workshop.continue_in(Mode.SHARED, share)
        if join:
            wish = Wish(*join, name, share_code)
            class_membership.join(wish, self.stdout.write, self.stderr.write)
        elif settings.MODE is Mode.LOCAL:
            class_membership.explain(self.stdout.write)
        try:
            workshop.run_workshop(host, port, reload, self.stdout.write, self.stderr.write)
        except workshop.PortTaken:
            if not join:
                raise
            self.stdout.write(f"If the workshop runs at port {port}, it reports to the class now.")
