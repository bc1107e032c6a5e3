"""In the child process: plays the conversations that the parent asks for."""

import gc
import logging
import os
import sys
import threading
import time
import traceback
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace

from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.process.child_process import (
    read_dataclass,
    receive_data,
    send_data,
    set_up_django,
)
from lessons.workshop.engine.process.output import LimitedOutput
from lessons.workshop.engine.script.report import DEFAULTS, PlayOptions
from lessons.workshop.engine.script.steps import parse_step
from lessons.workshop.engine.subject import Subject

WATCH_INTERVAL = 0.1  # seconds between two looks at a conversation
WAITING_FACTOR = 4  # how much longer than it may work a conversation may take in all
_process_time, _monotonic = time.process_time, time.monotonic  # others may be replaced


class _Reporter:
    """Sends reports to the parent. The watchdog's thread sends the last one if the code hangs."""

    def __init__(self, pipe):
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, kind: str, *values) -> None:
        with self._lock:
            try:
                send_data(self._pipe, (kind, *values))
            except OSError:  # the parent has ended
                os._exit(1)


def run_forked(pipe, parents_end, *order) -> None:
    """Run the player in a forked process."""
    # It has a copy. With that copy open, the end of the parent would not be noticed.
    parents_end.close()
    run_player(pipe, *order)


def run_player(pipe, subject: Subject, timeout: float, folder: str) -> None:
    """Play what the parent asks for, until the pipe is closed; never returns.

    Its database is in `folder`, which the parent removes. It is the working folder, too: a student
    may open a log with a relative name, which must not end up in the project.
    """
    set_up_django()
    from lessons.workshop.engine.world.world import install

    install(folder)
    os.chdir(folder)
    output = sys.stdout = sys.stderr = LimitedOutput()
    if subject.module:  # the loggers of an app write to the streams of the parent
        logging.disable()
    reporter = _Reporter(pipe)
    gc.freeze()  # later collections skip the objects of the parent
    try:
        _serve(pipe, reporter, subject, timeout, output)
    except CheckFailed as failure:
        reporter.send("problem", failure.finding)
    except (EOFError, OSError):  # the parent needs no more conversations
        pass
    except BaseException:
        reporter.send("fault", traceback.format_exc())
    os._exit(0)  # at once: the target's code may have registered exit handlers


def _serve(pipe, reporter, subject, timeout, output) -> None:
    """Play what the parent asks for."""
    from lessons.workshop.engine.process.conversation import Conversation
    from lessons.workshop.engine.world.student_module import load_subject

    def report_stuck_import():
        reporter.send("problem", Conversation(subject, DEFAULTS).finding_of_hang(""))

    with _Watchdog(timeout, report_stuck_import):
        load_subject(subject)  # the output keeps what the file prints during this import only
    reporter.send("loaded", output.kept, output.cut)
    while True:
        number, steps, options = receive_data(pipe)
        printed = LimitedOutput()
        with redirect_stdout(printed), redirect_stderr(printed):
            # Imported again for each conversation: the code may have changed its own module.
            options = read_dataclass(PlayOptions, options)
            conversation = Conversation(subject, options, on_load=printed.forget)

            def report(stuck=None, number=number, conversation=conversation, printed=printed):
                own = {"stuck": stuck, "output": printed.kept, "cut": printed.cut}
                reporter.send("played", number, replace(conversation.report(), **own))

            def report_stuck(conversation=conversation, report=report):
                report(conversation.finding_of_hang(f"Stopped after {timeout:g} seconds."))

            with _Watchdog(timeout, report_stuck):
                conversation.play([parse_step(step) for step in steps])
        report()


class _Watchdog:
    """If its block takes more than `seconds`, call `report_stuck` and end the process.

    The seconds are those of the processor, so a busy machine does not change a verdict. Code that
    only waits may take longer.
    """

    def __init__(self, seconds: float, report_stuck):
        self._seconds = seconds
        self._report_stuck = report_stuck
        self._is_over = threading.Event()

    def __enter__(self):
        self._processor_time, self._begun = _process_time(), _monotonic()
        threading.Thread(target=self._watch, daemon=True).start()

    def __exit__(self, *_):
        self._is_over.set()

    def _watch(self):
        while not self._is_over.wait(WATCH_INTERVAL):
            used = _process_time() - self._processor_time
            waited = _monotonic() - self._begun
            if used > self._seconds or waited > self._seconds * WAITING_FACTOR:
                self._report_stuck()
                os._exit(0)
