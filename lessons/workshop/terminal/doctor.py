"""`manage.py doctor`: what works here, what is missing, and what to type.

Where a Python is too old, .venv incomplete or a setting wrong, no command starts: manage.py says so
in one line. The doctor prints no secret, and it changes nothing.
"""

import os
import platform
import sys
import tempfile
from typing import NamedTuple

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from rich.text import Text

from lessons.workshop.course.lesson_index import MANAGE, PROJECT_DIR, find
from lessons.workshop.judge import runner
from lessons.workshop.setup.atomic_write import explain_os_error
from lessons.workshop.setup.external_programs import REDIS
from lessons.workshop.setup.redis_server import RedisUnavailable
from lessons.workshop.setup.virtual_environment import is_inside, is_stale
from lessons.workshop.terminal.cluster import require_redis
from lessons.workshop.terminal.terminal_output import print_paragraph, print_text
from lessons.workshop.terminal.workshop import explained_database_errors

OK, OPTIONAL, WRONG = "ok", "optional", "wrong"  # optional: the workshop works without it
COLOURS = {OK: "green", OPTIONAL: "yellow", WRONG: "bold red"}


class Row(NamedTuple):
    """One thing that was examined. `text` says how it is, `cure` is a command to paste."""

    name: str
    state: str
    text: str
    cure: str = ""


def examine(console) -> int:
    """Examine, print the report, and return 0 if all works that is needed, otherwise 1."""
    rows = [environment(), folder("work"), folder(".workshop"), database(), redis(), judge()]
    for row in rows:
        label = Text(f"{row.state:<8}  {row.name:<11}  ", COLOURS[row.state])
        print_paragraph(console, label, row.text)
        if row.cure:
            print_text(console, " " * label.cell_len + row.cure)
    is_wrong = any(row.state == WRONG for row in rows)
    print_text(console, "\nRepair what is wrong." if is_wrong else "\nThe workshop works.", "bold")
    return int(is_wrong)


def environment() -> Row:
    """Whether the Python that runs this has what requirements.txt lists."""
    if is_inside() and is_stale():
        text = "requirements.txt has changed since .venv was made from it. Install what is new:"
        return Row("Environment", WRONG, text, f"deactivate; {MANAGE} lesson")
    text = f"Python {platform.python_version()} with all packages: {sys.prefix}"
    return Row("Environment", OK, text)


def folder(name: str) -> Row:
    """Whether the student's files can be written in this folder of the project."""
    path = PROJECT_DIR / name
    try:
        with tempfile.TemporaryFile(dir=path if path.exists() else PROJECT_DIR) as file:
            file.write(b"doctor")
    except OSError as error:
        return Row(f"{name}/", WRONG, explain_os_error(error))
    return Row(f"{name}/", OK, "Can be written." if path.exists() else "Is created when needed.")


def database() -> Row:
    """Whether the database answers. `workshop` creates its tables when it starts."""
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
    try:
        require_redis()
    except CommandError as error:
        return Row("Redis", WRONG, str(error))
    except RedisUnavailable:
        return Row("Redis", OPTIONAL, "There is none for `cluster`.", REDIS.install)
    found = "The server of REDIS_URL answers." if settings.REDIS_URL else "`cluster` starts one."
    return Row("Redis", OK, found)


def judge() -> Row:
    """Whether the judge finds that an unsolved exercise of the course is red."""
    lesson = find("1")
    reason = "It is green."
    try:
        if runner.judge(lesson, str(lesson.original)).findings:
            return Row("Judge", OK, "Lesson 1's unsolved exercise is red, as it must be.")
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    text = f"Lesson 1's unsolved exercise must be red, and is not. {reason}"
    return Row("Judge", WRONG, text, f"{MANAGE} lesson check 1")
