"""`manage.py bench`: what one event, one group_send and one verdict cost on this machine."""

import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lessons.workshop.course import lesson_index
from lessons.workshop.setup import atomic_write
from lessons.workshop.setup.redis_server import RedisUnavailable
from lessons.workshop.setup.virtual_environment import INTERRUPTED

ROUNDS = 15


class Command(BaseCommand):
    help = "Measure on this machine. The lessons then show the tables of event and group_send."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument(
            "what",
            choices=["event", "group_send", "verdict"],
            help="event: an echo, by what handles it; group_send: a text for all clients of a "
            "room, by channel layer; verdict: from a save to the verdict",
        )
        parser.add_argument("lessons", nargs="*", metavar="LESSON", help="verdict: default all")
        parser.add_argument("--before", type=Path, help="verdict: another checkout to compare with")
        parser.add_argument("--rounds", type=int, help=f"how often each is measured ({ROUNDS})")
        parser.add_argument(
            "--profile", action="store_true", help="event, group_send: where the time goes"
        )

    def handle(self, *, what, lessons, before, rounds, profile, **options):
        if rounds is not None and rounds < 1:
            raise CommandError("--rounds must be 1 or more.", returncode=2)
        if profile if what == "verdict" else lessons or before:
            raise CommandError(f"{what} does not take these options.", returncode=2)
        os.environ.pop("DATABASE_URL", None)  # the servers that it starts have SQLite files
        try:
            if what == "verdict":
                self._verdict(lessons, rounds or ROUNDS, before)
            else:
                self._cost(what, rounds, profile)
        except (RedisUnavailable, lesson_index.UnknownLesson) as error:
            raise CommandError(str(error), returncode=2) from None
        except OSError as error:
            raise CommandError(atomic_write.explain_os_error(error), returncode=2) from None
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    def _verdict(self, names, rounds, before):
        from lessons.workshop.measure import verdict

        lessons = [lesson_index.find(name) for name in names] or lesson_index.lessons()
        verdict.run(lessons, rounds, before, self.stdout.write)

    def _cost(self, what, rounds, profile):
        from lessons.workshop.measure import event, group_send

        script = {"event": event, "group_send": group_send}[what]
        if profile:
            self.stdout.write(script.profile())
            return
        table = script.run(rounds or ROUNDS)
        self.stdout.write(table)
        if rounds is None:  # a lesson shows only a whole run
            file = settings.STATE_DIR / "bench" / f"{what}.txt"
            atomic_write.write(file, f"{table}\n".encode())
            self.stdout.write(f"Saved in {file}")
