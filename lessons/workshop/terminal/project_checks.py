"""The doctor's checks that need what requirements.txt installs.

    python -m lessons.workshop.terminal.project_checks

In a process like this, settings that refuse to load end nothing but this process.
"""

import os
import re
import sys

from lessons.workshop.setup.external_programs import REDIS
from lessons.workshop.terminal.doctor import MANAGE, OK, OPTIONAL, WRONG, Row, show


def main() -> int:
    """Print the rows, or one that says why the settings do not load. Returns 1 for a wrong one."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
    try:
        import django

        django.setup()
    except SystemExit as refused:  # SettingsError; a command at its end stays in one piece
        parts = re.fullmatch(r"(.*:) ((?:python3|py|\.venv\S+) .+)", str(refused))
        rows = [Row("Settings", WRONG, *(parts.groups() if parts else [str(refused)]))]
    except Exception as error:
        rows = [Row("Settings", WRONG, f"{type(error).__name__}: {error}")]
    else:
        rows = [database(), redis(), judge()]
    return int(show(rows))


def database() -> Row:
    """Whether the database answers. `workshop` creates its tables when it starts."""
    from django.conf import settings
    from django.core.management.base import CommandError
    from django.db import connection

    from lessons.workshop.terminal.workshop import explained_database_errors

    entry = settings.DATABASES["default"]
    if entry is settings.SQLITE and not os.path.exists(entry["NAME"]):
        return Row("Database", OK, f"{entry['NAME']} is created when `workshop` starts.")
    try:
        with explained_database_errors():
            connection.introspection.table_names()
    except CommandError as error:
        return Row("Database", WRONG, str(error))
    return Row("Database", OK, f"{entry['NAME']} answers.")


def redis() -> Row:
    """Whether the server of REDIS_URL answers, or `cluster` can start one."""
    from django.conf import settings
    from django.core.management.base import CommandError

    from lessons.workshop.terminal.cluster import require_redis

    try:
        require_redis()
    except CommandError as error:
        if settings.REDIS_URL:
            return Row("Redis", WRONG, str(error))
        return Row("Redis", OPTIONAL, "There is none for `cluster`.", REDIS.how_to_install())
    found = "The server of REDIS_URL answers." if settings.REDIS_URL else "`cluster` starts one."
    return Row("Redis", OK, found)


def judge() -> Row:
    """Whether the judge finds that an unsolved exercise of the course is red."""
    from lessons.workshop.course.lesson_index import find
    from lessons.workshop.judge import runner

    lesson = find("1")
    reason = "It is green."
    try:
        if runner.judge(lesson, str(lesson.original)).findings:
            return Row("Judge", OK, "Lesson 1's unsolved exercise is red, as it must be.")
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    text = f"Lesson 1's unsolved exercise must be red, and is not. {reason}"
    return Row("Judge", WRONG, text, f"{MANAGE} lesson check 1")


if __name__ == "__main__":
    sys.exit(main())
