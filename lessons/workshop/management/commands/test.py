"""`manage.py test`: runs pytest, because users of Django expect this command."""

import os
import sys
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lessons.workshop.course.lesson_index import MANAGE
from lessons.workshop.management.declared import USERS_ERRORS

REAL = "tests/real"
TEST_TIMEOUT = 300  # seconds; a test that runs for longer hangs
LEFT_OUT = (
    f"\nLeft out: {REAL} (browsers, Redis, PostgreSQL, the sandbox, many processes). "
    f"To run everything: {MANAGE} test --all"
)


class Command(BaseCommand):
    help = (
        "Run the tests that need only Python. --all: also those in tests/real. "
        "--lesson N [--target TARGET]: the tests of one lesson, a line for each claim. "
        "Any other argument goes to pytest."
    )

    def run_from_argv(self, argv):
        """Read our own options, and pass all others to pytest."""
        parser = ArgumentParser(
            prog=f"{os.path.basename(argv[0])} {argv[1]}",
            description=self.help,
            allow_abbrev=False,
            add_help=argv[2:] in (["-h"], ["--help"]),
        )
        parser.add_argument("--all", action="store_true", help=f"also {REAL}")
        parser.add_argument("--lesson", metavar="N", help="the tests of lesson N (or its slug)")
        parser.add_argument(
            "--target",
            help="with --lesson: exercise, solution, mistake:NAME or the path of a file "
            "(default: the student's file, if it exists, or else the solution)",
        )
        options, others = parser.parse_known_args(argv[2:])
        if options.lesson and (others or options.all):
            parser.error("--lesson takes no other option than --target")
        if options.target and not options.lesson:
            parser.error("--target needs a lesson: --lesson N --target TARGET")
        if not options.lesson:
            sys.exit(_run_pytest(options.all, others))
        from lessons.workshop.terminal.lesson_tests import run_lesson_tests

        try:
            sys.exit(run_lesson_tests(options.lesson, options.target))
        except (CommandError, *USERS_ERRORS) as error:
            self.stderr.write(str(error))
            sys.exit(2)


def _run_pytest(everything: bool, others: list[str]) -> int:
    import pytest

    os.chdir(settings.BASE_DIR)  # the folder of pytest's settings
    arguments = list(others)
    if not others:  # with an argument, one process: workers start slowly, and a debugger waits
        arguments += ["-n", str(os.cpu_count() or 1), "--timeout", str(TEST_TIMEOUT), "-q"]
    leaves_out = not everything and not any(
        os.path.exists(other.partition("::")[0]) for other in others
    )
    if everything:
        arguments.append("-rs")  # what was skipped, and what to install
    elif leaves_out:
        arguments.append(f"--ignore={REAL}")
    code = pytest.main(arguments)
    if leaves_out:
        print(LEFT_OUT)
    return code
