"""`manage.py workshop`: prepares everything, then serves the pages and the demos with Daphne."""

from django.conf import settings
from django.core.management.base import BaseCommand

from lessons.workshop.member.joining import Wish
from lessons.workshop.setup.network_access import Mode
from lessons.workshop.terminal import class_membership, workshop


class Command(BaseCommand):
    help = "Start the workshop: the lessons in the browser, on this machine."
    requires_system_checks = ()  # runserver makes them

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="8000; 0 takes any free port")
        parser.add_argument("--host", default="127.0.0.1", help="127.0.0.1: only this machine")
        parser.add_argument(
            "--share",
            metavar="NAME",
            nargs="?",
            const="",
            help="behind a token, for browsers that reach this machine as NAME, such as a.test",
        )
        parser.add_argument(
            "--no-reload", dest="reload", action="store_false", help="do not watch for changed code"
        )

        parser.add_argument(
            "--join",
            nargs=2,
            metavar=("URL", "CODE"),
            help="report to the class with this code in the room at URL",
        )
        parser.add_argument("--name", default="", help="your name in the class")
        parser.add_argument(
            "--share-code", action="store_true", help="let the instructor read your exercises"
        )
        parser.add_argument("--leave", action="store_true", help="leave the class, and end")

    def handle(self, *, host, port, share, reload, join, name, share_code, leave, **options):
        if join or leave:
            class_membership.require_local()
        if leave:
            class_membership.leave(self.stdout.write)
            return
        if share is not None and settings.MODE is Mode.LOCAL:
            workshop.share(share)
        if join:
            wish = Wish(*join, name, share_code)
            class_membership.join(wish, self.stdout.write, self.stderr.write)
        elif settings.MODE is Mode.LOCAL:
            class_membership.explain(self.stdout.write)
        try:
            workshop.run_workshop(host, port, reload, self.stdout.write, self.stderr.write)
        except workshop.PortTaken:
            if not (join and class_membership.is_served_by_other_workshop()):
                raise
            self.stdout.write("The workshop that runs in this folder reports to the class now.")
