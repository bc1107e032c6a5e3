"""`manage.py test`: pytest, for whoever types what Django taught them."""

import os
import sys

import pytest
from django.conf import settings
from django.core.management.base import BaseCommand

GREEN, RED, WRONG_USAGE = 0, 1, 2


class Command(BaseCommand):
    help = "Run the tests with pytest: whatever follows is pytest's, and --lesson N is ours."

    def run_from_argv(self, argv):
        """Leave the arguments to pytest, --help included."""
        os.chdir(settings.BASE_DIR)  # where pytest finds its settings
        sys.exit(exit_code(pytest.main(argv[2:])))


def exit_code(code: int) -> int:
    if code in {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED}:
        return WRONG_USAGE
    return GREEN if code == pytest.ExitCode.OK else RED
