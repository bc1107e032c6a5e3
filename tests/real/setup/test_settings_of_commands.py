"""A command with the settings of its environment, in its own process."""

import os

import pytest

from lessons.workshop.course.lesson_index import PROJECT_DIR
from tests.support.modes import NAMES, PUBLIC
from tests.support.programs.processes import run


def manage(*arguments, **environment):
    bare = {name: value for name, value in os.environ.items() if name not in NAMES}
    return run(["manage.py", *arguments], cwd=PROJECT_DIR, env={**bare, **environment})


def test_the_public_server_passes_the_checks_of_a_deployment():
    checked = manage("check", "--deploy", "--fail-level=WARNING", **PUBLIC)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(
    "command, name, reason",
    [
        ("lesson", "DJANGO_MODE", "There is no DJANGO_MODE "),
        ("test", "REDIS_URL", "REDIS_URL is not a Redis URL: "),
    ],
)
def test_a_wrong_setting_ends_a_command_with_2_and_one_line(command, name, reason):
    failed = manage(command, **{name: "localhost:6379"})
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.startswith(reason)
    assert failed.stderr.count("\n") == 1
