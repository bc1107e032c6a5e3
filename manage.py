#!/usr/bin/env python
"""Django's command-line utility for administrative tasks."""

import os
import sys


def main():
    """Run administrative tasks."""
    if sys.version_info < (3, 6):  # noqa: UP036 - it cannot read any other file of this project
        sys.exit("This Python is too old. Use Python 3.11 or newer, from https://www.python.org")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
    if sys.argv[1:2] == ["doctor"]:  # it must work where Django or the settings do not
        from lessons.cli import doctor

        sys.exit(doctor.main(sys.argv[2:]))
    from lessons.core import bootstrap

    try:
        bootstrap.require_packages()
        from django.core.management import execute_from_command_line
    except ImportError as error:
        sys.exit(bootstrap.continue_inside(sys.argv, error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
