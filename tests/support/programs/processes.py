"""Starts `python manage.py ...` and `python -m ...` in a new process."""

import subprocess
import sys
import tempfile
from types import SimpleNamespace


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
