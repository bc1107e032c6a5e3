"""`manage.py test`: runs pytest, because users of Django expect this command."""

import os
import sys

from django.conf import settings
from django.core.management.base import BaseCommand

GREEN, RED, WRONG_USAGE = 0, 1, 2
REAL = "tests/real"
TEST_TIMEOUT = 300  # seconds; a test that runs for longer hangs
LEFT_OUT = (
    f"\nLeft out: {REAL} (browsers, Redis, PostgreSQL, the sandbox, many processes). "
    "To run everything: {manage} test --all"
)


class Command(BaseCommand):
    help = (
        "Run the tests that need only Python. --all: also those in tests/real. "
        "--lesson N [--target TARGET]: the tests of one lesson, a line for each claim. "
        "Any other argument goes to pytest."
    )

    def run_from_argv(self, argv):
        """Read our own options, and pass all others to pytest."""
        parser = self.create_parser(argv[0], argv[1])
        if argv[2:] in (["-h"], ["--help"]):
            parser.print_help()
            return
        options, others = parser.parse_known_args(argv[2:])
        if options.lesson:
            if others or options.all:
                parser.error("--lesson takes no other option than --target")
            code = self._run_lesson(options)
        elif options.target:
            parser.error("--target needs a lesson: --lesson N --target TARGET")
        else:
            code = self._run_pytest(options.all, others)
        sys.exit(code)

    def create_parser(self, prog_name, subcommand, **kwargs):
        from argparse import ArgumentParser

        parser = ArgumentParser(
            prog=f"{os.path.basename(prog_name)} {subcommand}",
            description=self.help,
            allow_abbrev=False,
        )
        parser.add_argument("--all", action="store_true", help=f"also {REAL}")
        parser.add_argument("--lesson", metavar="N", help="the tests of lesson N (or its slug)")
        parser.add_argument(
            "--target",
            help="with --lesson: exercise, solution, mistake:NAME or the path of a file "
            "(default: the student's file, if it exists, or else the solution)",
        )
        return parser

    def _run_lesson(self, options) -> int:
        from django.core.management.base import CommandError

        from lessons.workshop.terminal.lesson_tests import run_lesson_tests

        try:
            return run_lesson_tests(options.lesson, options.target)
        except CommandError as error:
            self.stderr.write(str(error))
            return error.returncode

    def _run_pytest(self, everything: bool, others: list[str]) -> int:
        import pytest

        from lessons.workshop.course.lesson_index import MANAGE

        os.chdir(settings.BASE_DIR)  # the folder of pytest's settings
        arguments = list(others)
        if not others:  # with an argument, one process: workers start slowly, and a debugger waits
            arguments += ["-n", str(os.cpu_count() or 1), "--timeout", str(TEST_TIMEOUT), "-q"]
        chosen = any(os.path.exists(other.partition("::")[0]) for other in others)
        if everything:
            arguments.append("-rs")  # what was skipped, and what to install
        elif not chosen:
            arguments.append(f"--ignore={REAL}")
        code = pytest.main(arguments)
        if not everything and not chosen:
            print(LEFT_OUT.format(manage=MANAGE))
        return exit_code(code)


def exit_code(code: int) -> int:
    """The exit code for pytest's: 0 for green, 1 for red, 2 for wrong usage."""
    import pytest

    if code in {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED}:
        return WRONG_USAGE
    return GREEN if code == pytest.ExitCode.OK else RED
