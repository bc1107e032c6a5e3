"""`manage.py doctor`: what works here, what is missing, and what to type.

manage.py starts it before Django. So it works without .venv, with settings that refuse to load, and
with a Python that is too old: it has the standard library only, and the syntax of Python 3.6. It
starts two processes with the Python of the project: one runs project_checks, the other lets the
judge judge. It prints no secret, and it changes nothing.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import textwrap
from typing import NamedTuple

from lessons.workshop.setup import virtual_environment

HELP = "Say what works here, what is missing, and what to type."
OK, OPTIONAL, WRONG = "ok", "optional", "wrong"  # optional: the workshop works without it
IS_WINDOWS = os.name == "nt"
MANAGE = "py manage.py" if IS_WINDOWS else "python3 manage.py"
PROCESS_TIMEOUT = 30  # seconds; the checks and the verdict take one second, unless much else runs
# An unsolved exercise of the course. It is red, whatever the student has done.
JUDGE = ["manage.py", "lesson", "check", "1", "--target", "lessons/01_accept/exercise.py"]


class Row(NamedTuple):
    """One thing that was examined. `text` says how it is, `cure` is a command to paste."""

    name: str
    state: str
    text: str
    cure: str = ""


def main(arguments, file=None) -> int:
    """Examine, print the report, and return 0 if all works that is needed, otherwise 1."""
    argparse.ArgumentParser(prog="manage.py doctor", description=HELP).parse_args(arguments)
    rows = examine()
    code = int(any(row.state == WRONG for row in rows))
    file = file or sys.stdout
    try:
        print(as_text(rows, getattr(file, "encoding", None) or "utf-8"), file=file, flush=True)
    except OSError:  # the reader has ended, as in `manage.py doctor | head -1`
        os._exit(code)
    return code


def as_text(rows, encoding) -> str:
    """State, name and text of each row, below it the command, which is never wrapped."""
    width = max(60, min(shutil.get_terminal_size().columns, 100))
    lines = []
    for row in rows:
        text = textwrap.wrap(row.text, width - 23, break_long_words=False, break_on_hyphens=False)
        heads = [f"{row.state:<8}  {row.name:<11}  "] + [" " * 23] * len(text)
        lines += map("".join, zip(heads, [*text, row.cure] if row.cure else text))
    wrong = ", ".join(row.name for row in rows if row.state == WRONG)
    lines += ["", f"Repair this: {wrong}." if wrong else "The workshop works."]
    return "\n".join(lines).encode(encoding, "replace").decode(encoding)


def examine():
    """All rows, in the order of the report."""
    rows = [python(), environment()]
    own = has_packages()
    if own or virtual_environment.is_complete():
        interpreter = sys.executable if own else str(virtual_environment.PYTHON)
        project = project_rows(interpreter)
        rows += project
        if project[0].state != WRONG:  # its packages are there
            rows.append(judge(interpreter))
    return [*rows, folder("work"), folder(".workshop")]


def python() -> Row:
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] >= virtual_environment.MIN_PYTHON:
        return Row("Python", OK, f"{found}.")
    text = f"{found} is too old. Install 3.11 or newer from https://www.python.org, and start it"
    return Row("Python", WRONG, f"{text} by its name:", "python3.12 manage.py doctor")


def has_packages() -> bool:
    """Whether this Python can run the project; if not, manage.py continues in .venv."""
    try:
        virtual_environment.require_packages()
    except ImportError:
        return False
    return True


def environment() -> Row:
    """Whether the commands have an environment, and which one."""
    inside = virtual_environment.is_inside()
    if has_packages() and not (inside and virtual_environment.is_stale()):
        return Row("Environment", OK, f"manage.py runs in {sys.prefix}, which has all packages.")
    if virtual_environment.is_complete():
        return Row("Environment", OK, "manage.py continues inside .venv.")
    text = "There is no .venv yet. The next command creates it:"
    if virtual_environment.VENV.exists():
        text = ".venv is incomplete or out of date. Deactivate it if it is active, then repair it:"
    return Row("Environment", WRONG, text, f"{MANAGE} lesson")


def project_rows(interpreter):
    """The rows of project_checks."""
    done = _run([interpreter, "-m", "lessons.workshop.terminal.project_checks"], os.environ)
    try:
        return [Row(*row) for row in json.loads(done.stdout.decode())]
    except (ValueError, TypeError):
        return [Row("Packages", WRONG, f"The checks of the project fail: {_last_line(done)}")]


def judge(interpreter) -> Row:
    """Whether the judge finds that an unsolved exercise is red, whatever the settings are."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("REDIS_URL", "DATABASE_URL") and not name.startswith("DJANGO_")
    }
    done = _run([interpreter, *JUDGE], dict(kept, PYTHONIOENCODING="utf-8"))
    if done.returncode == 1 and b"red  Lesson 1" in done.stdout:
        return Row("Judge", OK, "Lesson 1's unsolved exercise is red, as it must be.")
    text = f"Lesson 1's unsolved exercise must be red, and is not. {_last_line(done)}"
    return Row("Judge", WRONG, text, f"{MANAGE} lesson check 1")


def _run(command, variables):
    """Run a command in the project's folder, without input. Its output is bytes."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    place = {"cwd": str(virtual_environment.PROJECT), "env": dict(variables)}
    try:
        return subprocess.run(command, timeout=PROCESS_TIMEOUT, **pipes, **place)
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 2, b"", str(error).encode())


def _last_line(done) -> str:
    return (done.stderr.decode(errors="replace").strip().splitlines() or [""])[-1]


def folder(name) -> Row:
    """Whether the student's files can be written in this folder of the project."""
    path = virtual_environment.PROJECT / name
    existing = path if path.exists() else virtual_environment.PROJECT
    try:
        with tempfile.TemporaryFile(dir=str(existing)) as file:
            file.write(b"doctor")
    except OSError as error:
        text = f"Cannot write in {existing}: {error.strerror}. Make room on its disk, or make it"
        return Row(f"{name}/", WRONG, f"{text} writable, or copy the project to another folder.")
    return Row(f"{name}/", OK, "Can be written." if path.exists() else "Is created when needed.")
