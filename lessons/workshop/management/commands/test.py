"""`manage.py test`: runs pytest, because users of Django expect this command."""

import os
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management.base import BaseCommand

GREEN, RED, WRONG_USAGE = 0, 1, 2


class Command(BaseCommand):
    help = "Run the tests with pytest. It takes the options of pytest, and --lesson N."

    def run_from_argv(self, argv):
        """Pass all arguments to pytest, also --help."""
        arguments = with_absolute_target(argv[2:])
        os.chdir(settings.BASE_DIR)  # the folder of pytest's settings
        # pytest searches for its settings before it knows --target. It takes the file behind
        # --target for a file of tests, and searches next to this file. So name the settings.
        folder = settings.BASE_DIR
        options = ["-c", str(folder / "pyproject.toml"), "--rootdir", str(folder)]
        sys.exit(exit_code(pytest.main(options + arguments)))


def with_absolute_target(arguments: list[str]) -> list[str]:
    """The arguments, with an absolute path for a --target that is a file."""
    changed = list(arguments)
    for place, argument in enumerate(arguments):
        if argument.startswith("--target="):
            changed[place] = f"--target={_absolute(argument.partition('=')[2])}"
        elif place and arguments[place - 1] == "--target":
            changed[place] = _absolute(argument)
    return changed


def _absolute(target: str) -> str:
    is_file = target not in {"exercise", "solution"} and Path(target).is_file()
    return str(Path(target).resolve()) if is_file else target


def exit_code(code: int) -> int:
    if code in {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED}:
        return WRONG_USAGE
    return GREEN if code == pytest.ExitCode.OK else RED
