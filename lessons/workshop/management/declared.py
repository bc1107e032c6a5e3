"""The base of our commands: options are data, and each error is one line with its cure."""

import sys

from django.core.management.base import BaseCommand, CommandError

from lessons.workshop.course.lesson_index import IncompleteLesson, UnknownLesson
from lessons.workshop.course.lesson_text import TextError
from lessons.workshop.course.subjects import UnknownTarget
from lessons.workshop.grading.submissions import UnreadableFolder
from lessons.workshop.member.protocol import Refused
from lessons.workshop.setup import atomic_write
from lessons.workshop.setup.redis_server import RedisUnavailable
from lessons.workshop.setup.virtual_environment import INTERRUPTED

FLAG = {"action": "store_true"}
# Their texts are for the user. No command needs to catch them.
USERS_ERRORS = (
    *(UnknownLesson, IncompleteLesson, TextError, UnknownTarget),
    *(UnreadableFolder, RedisUnavailable, Refused),
)


class DeclaredCommand(BaseCommand):
    """Exit codes: 2 for wrong usage or a machine that lacks something, 130 after Ctrl-C."""

    requires_system_checks = ()
    options: dict[str, dict] = {}  # the arguments of add_argument(), by name

    def add_arguments(self, parser):
        for name, arguments in self.options.items():
            parser.add_argument(name, **arguments)

    def execute(self, *args, **options):
        try:
            return super().execute(*args, **options)
        except USERS_ERRORS as error:
            raise CommandError(str(error), returncode=2) from None
        except OSError as error:
            raise CommandError(atomic_write.explain_os_error(error), returncode=2) from None
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
