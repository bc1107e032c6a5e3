import os
from importlib import import_module

from django.conf import settings
from django.core.management.base import CommandError

from lessons.workshop.course import lesson_index
from lessons.workshop.management.declared import FLAG, DeclaredCommand
from lessons.workshop.setup import atomic_write

ROUNDS = 15


class Command(DeclaredCommand):
    help = "Measure on this machine. The lessons then show the tables of event and group_send."
    options = {
        "what": {
            "choices": ["event", "group_send", "verdict"],
            "help": "event: an echo, by what handles it; group_send: a text for all clients of a "
            "room, by channel layer; verdict: from a save to the verdict",
        },
        "lessons": {"nargs": "*", "metavar": "LESSON", "help": "verdict: default all"},
        "--rounds": {"type": int, "help": f"how often each is measured ({ROUNDS})"},
        "--profile": {**FLAG, "help": "event, group_send: where the time goes"},
    }

    def handle(self, *, what, lessons, rounds, profile, **options):
        if rounds is not None and rounds < 1:
            raise CommandError("--rounds must be 1 or more.", returncode=2)
        if profile if what == "verdict" else lessons:
            raise CommandError(f"{what} does not take these options.", returncode=2)
        os.environ.pop("DATABASE_URL", None)  # the servers that it starts have SQLite files
        script = import_module(f"lessons.workshop.measure.{what}")
        if what == "verdict":
            found = [lesson_index.find(name) for name in lessons] or lesson_index.lessons()
            script.run(found, rounds or ROUNDS, self.stdout.write)
        elif profile:
            self.stdout.write(script.profile())
        else:
            table = script.run(rounds or ROUNDS)
            self.stdout.write(table)
            if rounds is None:  # a lesson shows only a whole run
                file = settings.STATE_DIR / "bench" / f"{what}.txt"
                atomic_write.write(file, f"{table}\n".encode())
                self.stdout.write(f"Saved in {file}")
