from django.conf import settings

from lessons.workshop.management.declared import DeclaredCommand
from lessons.workshop.setup.network_access import Mode
from lessons.workshop.terminal import workshop


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
    }

    def handle(self, *, host, port, share, reload, **options):
        if share is not None and settings.MODE is Mode.LOCAL:
            workshop.continue_in(Mode.SHARED, share)
        workshop.run_workshop(host, port, reload, self.stdout.write, self.stderr.write)
