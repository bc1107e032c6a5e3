"""Judges texts as submissions of strangers, in each kind of sandbox."""

from lessons.workshop.course.lesson_index import find
from lessons.workshop.grading.judging import Grade, judge_submission
from lessons.workshop.grading.sandbox import Sandbox, find_sandbox
from lessons.workshop.grading.submissions import Submission
from lessons.workshop.setup.external_programs import BUBBLEWRAP
from tests.support.required_programs import find_program, skip_or_fail

LESSON = find("accept")
RIGHT = LESSON.solution.read_text(encoding="utf-8")
# With the C library, code makes a system call without a check in Python.
C_LIBRARY = "import ctypes, os, sys, time\nlibc = ctypes.CDLL(None, use_errno=True)\n"
WITHOUT_BUBBLEWRAP = Sandbox(False, "no bubblewrap")


def bubblewrap() -> Sandbox:
    """The sandbox with bubblewrap. Without it, skip or fail the test."""
    find_program(BUBBLEWRAP)
    sandbox = find_sandbox()
    return sandbox if sandbox.uses_bubblewrap else skip_or_fail(sandbox.warning)


def judge_code(code: str, sandbox: Sandbox, more: str = RIGHT, **options) -> Grade:
    """The verdict on a file with `code`, and below it the solution."""
    return judge_content(f"{C_LIBRARY}{code}\n{more}".encode(), sandbox, **options)


def judge_content(content: bytes, sandbox: Sandbox, lesson=LESSON, **options) -> Grade:
    return judge_submission(Submission("eve", lesson, "eve.py", content), sandbox, **options)
