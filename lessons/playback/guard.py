"""Keeps a student's code away from the answers and from the judge's files.

The student's code runs in the process that plays it. It cannot change a verdict, because another
process judges. But it could read the solution, or write a file of the course. An audit hook
(sys.addaudithook) sees each open() and each import, and no code can remove the hook. It raises
PermissionError, and remembers the attempt, even if the code catches the exception.

The guard is a fence, not a sandbox: it stops what Python's own functions do.
"""

import os
import sys

from lessons.core.catalogue import COURSE_DIR, PROJECT_DIR
from lessons.simulator.finding import Finding, make_finding, place_on_stack

_ANSWERS = ("solution.py", "mistakes.py", "check.py", "solution.", "mistakes.", "check.")
_MODULES = ("lessons.course", "lessons.judge", "lessons.authoring")
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

findings: list[Finding] = []  # one for each attempt
_own_file = ""
_is_installed = False


def install(own_file: str) -> None:
    """Refuse to read the answers, and to write into the project, from now on.

    `own_file` is the file that is judged: it may be read.
    """
    global _own_file, _is_installed
    _own_file = own_file
    # A module that is loaded already can be imported without an event.
    for name in [name for name in sys.modules if name.startswith(_MODULES)]:
        del sys.modules[name]
    for name in _MODULES:
        vars(sys.modules["lessons"]).pop(name.rpartition(".")[2], None)
    if not _is_installed:
        _is_installed = True
        sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple) -> None:
    if event == "open":
        _check_open(*arguments)
    elif event == "import" and arguments[0].startswith(_MODULES):
        _refuse_from_student(f"the module {arguments[0]}")


def _check_open(path, mode, flags) -> None:
    if not isinstance(path, str | bytes):
        return
    path = os.fsdecode(path)
    if path == _own_file:
        return
    writes = flags & _WRITE_FLAGS if isinstance(flags, int) else False
    # Most opens are of Python's own modules: look at the name before the path.
    if not writes and not os.path.basename(path).startswith(_ANSWERS):
        return
    full = os.path.realpath(path)
    forbidden = PROJECT_DIR if writes else COURSE_DIR
    if full.startswith(f"{forbidden}{os.sep}"):
        _refuse_from_student(f"{os.path.relpath(full, PROJECT_DIR)}")


def _refuse_from_student(what: str) -> None:
    """Raise PermissionError if the student's file is on the stack."""
    place = place_on_stack(_own_file)
    if place is None:
        return
    text = f"The exercise may not use {what}."
    findings.append(make_finding("course-file-used", place, "", text))
    raise PermissionError(text)
