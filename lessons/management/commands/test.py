"""`manage.py test`: runs pytest, because users of Django expect this command."""

import os
import sys

import pytest
from django.conf import settings
from django.core.management.base import BaseCommand

GREEN, RED, WRONG_USAGE = 0, 1, 2


class Command(BaseCommand):
    help = "Run the tests with pytest. It takes the options of pytest, and --lesson N."

    def run_from_argv(self, argv):
        """Pass all arguments to pytest, also --help."""
        os.chdir(settings.BASE_DIR)  # the folder of pytest's settings
        sys.exit(exit_code(pytest.main(argv[2:])))


def exit_code(code: int) -> int:
    if code in {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED}:
        return WRONG_USAGE
    return GREEN if code == pytest.ExitCode.OK else RED
