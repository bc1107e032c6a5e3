"""`manage.py doctor`: what works here, what is missing, and what to type.

manage.py starts it before Django. So it works without .venv, and with a Python that is too old: it
has the standard library only, and the syntax of Python 3.6. What needs more is in project_checks,
which runs with the Python of the project. It prints no secret, and it changes nothing.
"""

import argparse
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
MANAGE = "py manage.py" if os.name == "nt" else "python3 manage.py"


class Row(NamedTuple):
    """One thing that was examined. `text` says how it is, `cure` is a command to paste."""

    name: str
    state: str
    text: str
    cure: str = ""


def main(arguments) -> int:
    """Examine, print the report, and return 0 if all works that is needed, otherwise 1."""
    argparse.ArgumentParser(prog="manage.py doctor", description=HELP).parse_args(arguments)
    is_wrong = show([python(), environment(), folder("work"), folder(".workshop")])
    own = has_packages()
    if own or virtual_environment.is_complete():
        interpreter = sys.executable if own else str(virtual_environment.PYTHON)
        command = [interpreter, "-m", "lessons.workshop.terminal.project_checks"]
        is_wrong |= subprocess.call(command, cwd=str(virtual_environment.PROJECT)) != 0
    print("\nRepair what is wrong, from the top." if is_wrong else "\nThe workshop works.")
    return int(is_wrong)


def show(rows) -> bool:
    """Print state, name and text of each row, and its command. Returns whether one is wrong."""
    width = max(60, min(shutil.get_terminal_size().columns, 100))
    for row in rows:
        lines = textwrap.wrap(row.text, width - 23, break_long_words=False, break_on_hyphens=False)
        heads = [f"{row.state:<8}  {row.name:<11}  "] + [" " * 23] * len(lines)
        for head, line in zip(heads, [*lines, row.cure] if row.cure else lines):
            print(head + line)
    sys.stdout.flush()  # before a process writes to the same place
    return any(row.state == WRONG for row in rows)


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
