#!/usr/bin/env python
"""Django's command-line utility for administrative tasks."""

import os
import sys


def main():
    """Run administrative tasks."""
    if sys.version_info < (3, 6):  # noqa: UP036 - it cannot read any other file of this project
        sys.stderr.write("This Python is too old. Use 3.11 or newer, from https://www.python.org\n")
        sys.exit(2)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
    from lessons.workshop.setup import virtual_environment

    judges = sys.argv[1:2] == ["lesson"] or "--lesson" in sys.argv
    has_random_hashes = judges and "PYTHONHASHSEED" not in os.environ
    if has_random_hashes:  # a set of texts must have the same order in each verdict
        os.environ["PYTHONHASHSEED"] = "0"
    try:
        virtual_environment.require_packages()
        if has_random_hashes:
            command = [sys.executable, *sys.orig_argv[1:]]
            sys.exit(virtual_environment.replace_process(command))
        from django.core.management import execute_from_command_line
    except ImportError as error:
        sys.exit(virtual_environment.continue_inside(sys.argv, error))
    try:
        execute_from_command_line(sys.argv)
    except SystemExit as ended:
        if not isinstance(ended.code, str):
            raise
        # Python would exit with 1, which means red. The text says what to set up.
        sys.stderr.write(ended.code + "\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
