"""The doctor's checks that need what requirements.txt installs. They print rows as JSON.

    python -m lessons.workshop.terminal.project_checks

In a process like this, settings that refuse to load end nothing but this process.
"""

import json
import os
import re
import sys
from importlib import metadata

from lessons.workshop.setup import virtual_environment
from lessons.workshop.setup.external_programs import REDIS
from lessons.workshop.terminal.doctor import IS_WINDOWS, MANAGE, OK, OPTIONAL, WRONG, Row

DELETE = "rmdir /s /q .venv &" if IS_WINDOWS else "rm -rf .venv &&"


def main() -> None:
    rows = [packages()]
    if rows[0].state != WRONG:
        rows += settings_and_more()
    json.dump(rows, sys.stdout)


def packages() -> Row:
    """Whether .venv has the versions that requirements.txt locks."""
    if not virtual_environment.is_inside():  # an environment of nox has other versions
        return Row("Packages", OK, f"{sys.prefix} has all of them.")
    from packaging.requirements import Requirement

    different = []
    for requirement in map(Requirement, virtual_environment.locked_lines()):
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            version = ""
        if not version or version not in requirement.specifier:
            different.append(f"{requirement.name} ({version or 'not installed'})")
    if not different:
        return Row("Packages", OK, "As locked in requirements.txt.")
    text = f"Different from requirements.txt: {', '.join(different)}."
    return Row("Packages", WRONG, text, f"{DELETE} {MANAGE} lesson")


def settings_and_more() -> list[Row]:
    """The rows that follow from the settings, or one that says why they do not load."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
    try:
        import django

        django.setup()
    except SystemExit as refused:  # SettingsError; a command at its end stays in one piece
        parts = re.fullmatch(r"(.*:) ((?:python3|py|\.venv\S+) .+)", str(refused))
        return [Row("Settings", WRONG, *(parts.groups() if parts else [str(refused)]))]
    except Exception as error:
        return [Row("Settings", WRONG, f"{type(error).__name__}: {error}")]
    return [database(), redis()]


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


if __name__ == "__main__":
    main()
