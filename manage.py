#!/usr/bin/env python
"""Django's command-line utility for administrative tasks."""

import os
import sys


def main():
    """Run administrative tasks."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
    try:
        import channels  # noqa: F401 - a Python with Django alone cannot run this project either
        import daphne  # noqa: F401
        from django.core.management import execute_from_command_line
    except ImportError as error:
        from lessons.core.bootstrap import continue_inside

        sys.exit(continue_inside(sys.argv, error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
