"""The process that plays: it plays what the parent asks for, until the pipe is closed."""

import gc
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

from ..faults.finding import CheckFailed
from ..scheduling.patience import LOOK_INTERVAL, Patience
from ..script.report import DEFAULTS, PlayOptions
from ..script.steps import parse_step
from ..subject import Subject
from ..world.student_module import load_subject
from ..world.world import install
from .child_process import set_up_django
from .conversation import Conversation
from .data import read_dataclass, receive_data, send_data
from .output import LimitedOutput

WAITING_FACTOR = 4  # how much longer than it may work a conversation may wait
MAX_GARBAGE = 100_000  # objects that a conversation may make until some are collected

_WARM_UP = Subject(
    *("warm-up", Path("warm_up.py"), "WarmUp"),
    source="""\
from channels.generic.websocket import WebsocketConsumer

class WarmUp(WebsocketConsumer):
    def receive(self, text_data):
        self.send(text_data)
""",
)
_WARM_UP_STEPS = ('row auth.Group {"name": "a"}', "connect", "text a", "close")


def run_forked(pipe, parents_end, folder: str, is_warm: bool) -> None:
    """Run the player in a forked process. Through the pipe come a subject and a timeout."""
    # It has a copy. With that copy open, the end of the parent would not be noticed.
    parents_end.close()
    try:
        set_up(folder)
    except FileNotFoundError:  # Ctrl-C has ended the parent, which has removed the folder
        os._exit(0)
    if is_warm:  # the first conversation of a process takes several times as long as the others
        steps = [*map(parse_step, _WARM_UP_STEPS)]
        Conversation(_WARM_UP, replace(DEFAULTS, database=True)).play(steps)
    try:
        subject, timeout = receive_data(pipe)
    except (EOFError, OSError):  # the parent has ended, or does not need it
        os._exit(0)
    run_player(pipe, read_dataclass(Subject, subject), timeout)


def set_up(folder: str) -> None:
    """Make this process one that plays.

    Its database is in `folder`, which the parent removes. It is the working folder, too: a student
    may open a log with a relative name, which must not end up in the project.
    """
    set_up_django()
    install(folder)
    os.chdir(folder)


def run_player(pipe, subject: Subject, timeout: float) -> None:
    """Play what the parent asks for, until the pipe is closed; never returns."""
    sys.stdout = sys.stderr = LimitedOutput()
    if subject.module:  # the loggers of an app write to the streams of the parent
        logging.disable()
    gc.freeze()  # later collections skip what was made so far, such as the objects of the parent
    gc.enable()
    # Each conversation ends with a collection, see leftovers.py. Others would find what is in use.
    gc.set_threshold(MAX_GARBAGE)
    player = _ServedPlayer(pipe, subject, timeout)
    try:
        player.serve()
    except CheckFailed as failure:
        player.send("problem", failure.finding)
    except (EOFError, OSError):  # the parent needs no more conversations
        pass
    except BaseException:
        player.send("fault", traceback.format_exc())
    os._exit(0)  # at once: the subject's code may have registered exit handlers


class _ServedPlayer:
    """Sends a report for each request.

    If code takes more than `timeout` seconds, a thread sends the last report, and ends the process.
    Code that only waits may take longer. One thread watches all conversations: to start a thread
    takes as long as a step.
    """

    def __init__(self, pipe, subject: Subject, timeout: float):
        self._pipe = pipe
        self._subject = subject
        self._timeout = timeout
        self._sending = threading.Lock()
        self._watched: tuple[Patience, Callable[[], None]] | None = None
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def send(self, *message) -> None:
        with self._sending:
            try:
                send_data(self._pipe, message)
            except OSError:  # the parent has ended
                os._exit(1)

    def serve(self) -> None:
        """Raises CheckFailed for a file that cannot be run, and EOFError or OSError at the end."""
        first = Conversation(self._subject, DEFAULTS)
        with self._watches(lambda: self.send("problem", first.finding_of_hang(""))):
            load_subject(self._subject)
        # What the file prints during a later import is not kept.
        self.send("loaded", sys.stdout.getvalue(), sys.stdout.cut)
        modules = 0
        while True:
            if len(sys.modules) > modules:  # later collections skip imported libraries, too
                modules = len(sys.modules)
                gc.freeze()
            steps, options = receive_data(self._pipe)
            # Imported again for each conversation: the code may have changed its own module.
            printed = LimitedOutput()
            options = read_dataclass(PlayOptions, options)
            self._play(steps, Conversation(self._subject, options, printed.forget), printed)

    def _play(self, steps: list[str], conversation: Conversation, printed: LimitedOutput) -> None:
        def report(**stuck) -> None:
            own = {**stuck, "output": printed.getvalue(), "cut": printed.cut}
            self.send("played", replace(conversation.report(), **own))

        def report_stuck() -> None:
            detail = f"Stopped after {self._timeout:g} seconds."
            report(stuck=conversation.finding_of_hang(detail))

        with redirect_stdout(printed), redirect_stderr(printed), self._watches(report_stuck):
            conversation.play([parse_step(step) for step in steps])
        report()

    @contextmanager
    def _watches(self, report_stuck: Callable[[], None]):
        self._watched = Patience(self._timeout, self._timeout * WAITING_FACTOR), report_stuck
        try:
            yield
        finally:
            self._watched = None

    def _watch(self) -> None:
        while not threading.Event().wait(LOOK_INTERVAL):
            if (watched := self._watched) and watched[0].is_over():
                watched[1]()
                os._exit(0)
