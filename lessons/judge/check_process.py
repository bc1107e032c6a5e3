"""The process in which a student's code runs: checks, a limit, and a lid on what it prints."""

import gc
import io
import os
import sys
import threading
import traceback
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from lessons.core.catalogue import Lesson
from lessons.judge.check_runner import checks_in, claim_of, perform
from lessons.judge.verdict import Outcome
from lessons.playback.target import Target
from lessons.simulator.check_context import CheckContext
from lessons.simulator.controlled_sleep import WATCHDOG
from lessons.simulator.finding import CheckFailed, Place, make_finding, running_place
from lessons.simulator.student_module import load_file

OUTPUT_KEPT = 4000  # characters of what the target prints


class Head(io.TextIOBase):
    """Takes the place of stdout and stderr: keeps the beginning, counts the rest."""

    def __init__(self):
        self._kept: list[str] = []
        self._room = OUTPUT_KEPT
        self._cut = 0

    def writable(self):
        return True

    def write(self, text):
        kept = text[: self._room]
        if kept:
            self._kept.append(kept)
            self._room -= len(kept)
        self._cut += len(text) - len(kept)
        return len(text)

    def text(self) -> str:
        cut = f"\n[{self._cut} more characters were printed and cut]" if self._cut else ""
        return "".join(self._kept) + cut


class _Reporter:
    """Sends to the parent; the watchdog may do so from its own thread, as its last act."""

    def __init__(self, pipe, output: Head):
        self._pipe = pipe
        self._output = output
        self._lock = threading.Lock()

    def send(self, kind, value=None):
        with self._lock:
            try:
                self._pipe.send((kind, value))
            except OSError:  # whoever asked is gone, and nobody else would end what is stuck
                os._exit(1)

    def finish(self):
        """Everything is said; leave at once, past whatever the target has hung into the exit."""
        self.send("output", self._output.text())
        self.send("done")
        os._exit(0)


def run(pipe, lesson: Lesson, target: Target, limit: float) -> None:
    """Judge `target` and report through `pipe`; never returns."""
    if hasattr(os, "setsid"):
        os.setsid()
    output = sys.stdout = sys.stderr = Head()
    reporter = _Reporter(pipe, output)
    gc.freeze()  # what the parent had loaded need not be looked through after each check
    try:
        _run_checks(reporter, lesson, target, limit)
    except CheckFailed as red:
        reporter.send("problem", red.finding)
    except Exception:
        reporter.send("fault", traceback.format_exc())
    reporter.finish()


def _run_checks(reporter: _Reporter, lesson: Lesson, target: Target, limit: float) -> None:
    checks = checks_in(load_file(lesson.check))

    def stuck_while_loading():
        place = running_place(str(target.file)) or Place(str(target.file))
        reporter.send("problem", make_finding("stuck", place))

    def load():
        with _limited(limit, stuck_while_loading, reporter):
            return target.load()

    load()  # what the file prints as it is read is kept from this time only
    reporter.send("checks", [(check.__name__, claim_of(check)) for check in checks])
    for check in checks:
        with redirect_stdout(Head()), redirect_stderr(Head()):
            context = CheckContext(
                lesson, load()
            )  # anew: what one check leaves on the class stays there

        def stuck(check=check, context=context):
            red = context.failure("stuck", detail=f"Stopped after {limit:g} seconds.")
            outcome = Outcome(check.__name__, claim_of(check), "red", red.finding, red.transcript)
            reporter.send("outcome", outcome)

        with _limited(limit, stuck, reporter):
            outcome = perform(check, context)
        reporter.send("outcome", outcome)


@contextmanager
def _limited(seconds: float, stuck, reporter: _Reporter):
    """Within the block: after `seconds`, report by calling `stuck` and end the process."""
    over = threading.Event()

    def watch():
        if not over.wait(seconds):
            stuck()
            reporter.finish()

    threading.Thread(target=watch, name=WATCHDOG, daemon=True).start()
    try:
        yield
    finally:
        over.set()
