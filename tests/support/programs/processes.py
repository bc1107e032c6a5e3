"""Starts `python manage.py ...` and `python -m ...` in a new process."""

import os
import subprocess
import sys
import tempfile
from types import SimpleNamespace

from lessons.workshop.course.lesson_index import PROJECT_DIR


def project_environment(**changes) -> dict[str, str]:
    """This process's environment, for a program outside the project that imports the project."""
    return os.environ | {"PYTHONPATH": str(PROJECT_DIR)} | changes


def start_with_pipe(words, **place):
    """Start `python WORDS` with stdout and stderr in a pipe of lines."""
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    return start(words, **pipe, **place)


def start(words, *, cwd, session=False, **options) -> subprocess.Popen:
    """Start `python WORDS` without any input.

    By default it prints to stdout and stderr of the tests. With `session` it has its own process
    group, as in a terminal.
    """
    command = [sys.executable, *map(str, words)]
    options |= {"stdin": subprocess.DEVNULL, "start_new_session": session}
    return subprocess.Popen(command, cwd=cwd, **options)


def run(words, **place) -> SimpleNamespace:
    """Run `python WORDS` to its end. Returns its returncode, stdout and stderr.

    Files, not pipes: a process that it has left behind would keep a pipe open.
    """
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        code = start(words, stdout=stdout, stderr=stderr, **place).wait()
        for file in (stdout, stderr):
            file.seek(0)
        return SimpleNamespace(returncode=code, stdout=stdout.read(), stderr=stderr.read())
