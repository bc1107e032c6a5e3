"""Runs `manage.py lesson` in the process of the test."""

import io

import pytest
from django.core.management import CommandError, call_command


class Terminal(io.StringIO):
    """An output that claims to be a terminal."""

    def isatty(self):
        return True


def lesson(*arguments, code=0, to=None):
    """Run `manage.py lesson ...` in this process. Returns what it printed."""
    stdout = to or io.StringIO()
    if code == 1:
        with pytest.raises(SystemExit) as ended:
            call_command("lesson", *arguments, stdout=stdout)
        assert ended.value.code == 1
    else:
        call_command("lesson", *arguments, stdout=stdout)
    return stdout.getvalue() if isinstance(stdout, io.StringIO) else ""


def refusal(*arguments):
    """The one line of an error for wrong usage. Its exit code must be 2."""
    with pytest.raises(CommandError) as refused:
        call_command("lesson", *arguments, stdout=io.StringIO())
    assert refused.value.returncode == 2
    assert "\n" not in str(refused.value)
    return str(refused.value)


def solve(one):
    one.exercise.write_text(one.solution.read_text())
