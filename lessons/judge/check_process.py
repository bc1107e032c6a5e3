"""Runs a lesson's checks in the child process, with a time limit and a limit on printed text."""

import gc
import io
import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from lessons.core.catalogue import Lesson
from lessons.judge.check_runner import claim_of, find_checks, run_check
from lessons.judge.verdict import Outcome
from lessons.playback.child_process import send_data
from lessons.playback.target import Target
from lessons.simulator.check_context import CheckContext
from lessons.simulator.controlled_sleep import WATCHDOG
from lessons.simulator.finding import CheckFailed, Place, make_finding, running_place
from lessons.simulator.student_module import load_file, load_subject

MAX_OUTPUT = 4000  # characters of printed text that are kept


class LimitedOutput(io.TextIOBase):
    """Replaces stdout and stderr: keeps the beginning of the text and counts the rest."""

    def __init__(self):
        self._kept: list[str] = []
        self._free = MAX_OUTPUT
        self._dropped = 0

    def writable(self):
        return True

    def write(self, text):
        kept = text[: self._free]
        if kept:
            self._kept.append(kept)
            self._free -= len(kept)
        self._dropped += len(text) - len(kept)
        return len(text)

    def text(self) -> str:
        dropped = self._dropped
        note = f"\n[{dropped} more characters were printed and cut]" if dropped else ""
        return "".join(self._kept) + note


class _Reporter:
    """Sends reports to the parent. The watchdog's thread sends the last ones if a check hangs."""

    def __init__(self, pipe, output: LimitedOutput):
        self._pipe = pipe
        self._output = output
        self._lock = threading.Lock()

    def send(self, kind: str, value=None) -> None:
        with self._lock:
            try:
                send_data(self._pipe, (kind, value))
            except OSError:  # the parent has ended, and no other process would end a hanging check
                os._exit(1)

    def finish(self) -> None:
        """Send the output and exit at once: the target's code may have registered exit handlers."""
        self.send("output", self._output.text())
        self.send("done")
        os._exit(0)


def run(pipe, lesson: Lesson, target: Target, timeout: float) -> None:
    """Judge `target` and report through `pipe`; never returns."""
    if hasattr(os, "setsid"):
        os.setsid()
    output = sys.stdout = sys.stderr = LimitedOutput()
    reporter = _Reporter(pipe, output)
    gc.freeze()  # the collection after each check skips the objects of the parent
    try:
        _run_checks(reporter, lesson, target, timeout)
    except CheckFailed as failure:
        reporter.send("problem", failure.finding)
    except Exception:
        reporter.send("fault", traceback.format_exc())
    reporter.finish()


def _run_checks(reporter: _Reporter, lesson: Lesson, target: Target, timeout: float) -> None:
    checks = find_checks(load_file(lesson.check))

    def report_stuck_import():
        place = running_place(str(target.file)) or Place(str(target.file))
        reporter.send("problem", make_finding("stuck", place))

    def load():
        with _limited(timeout, report_stuck_import, reporter):
            return load_subject(target)

    load()  # the output keeps what the file prints during this import only
    reporter.send("checks", [(check.__name__, claim_of(check)) for check in checks])
    for check in checks:
        with redirect_stdout(LimitedOutput()), redirect_stderr(LimitedOutput()):
            # Load the file again: a check may have changed the class.
            context = CheckContext(lesson, load())

        def report_stuck_check(check=check, context=context):
            failure = context.failure("stuck", detail=f"Stopped after {timeout:g} seconds.")
            finding, transcript = failure.finding, failure.transcript
            outcome = Outcome(check.__name__, claim_of(check), "red", finding, transcript)
            reporter.send("outcome", outcome)

        with _limited(timeout, report_stuck_check, reporter):
            outcome = run_check(check, context)
        reporter.send("outcome", outcome)


@contextmanager
def _limited(seconds: float, report_stuck: Callable[[], None], reporter: _Reporter):
    """If the block takes more than `seconds`, call `report_stuck` and end the process."""
    is_over = threading.Event()

    def watch():
        if not is_over.wait(seconds):
            report_stuck()
            reporter.finish()

    threading.Thread(target=watch, name=WATCHDOG, daemon=True).start()
    try:
        yield
    finally:
        is_over.set()
