"""The judging process's side of a process that plays conversations with one target.

The child plays, the parent judges. The parent sends steps. The child imports the student's file
again for each conversation, plays the steps, and sends what happened: plain data, each field of
which the parent checks. The child does not know what the exercise promises. So a submission that
changes its own process can change nothing but its own report.
"""

import multiprocessing
import signal
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Protocol

from lessons.workshop.engine.faults.finding import CheckFailed, Finding, make_finding
from lessons.workshop.engine.process.child_process import (
    kill_process_group,
    read_dataclass,
    receive_data,
    send_data,
    start_child,
)
from lessons.workshop.engine.process.output import LimitedOutput
from lessons.workshop.engine.process.served_player import WAITING_FACTOR, run_forked
from lessons.workshop.engine.script.report import DEFAULTS, PlayOptions, Report
from lessons.workshop.engine.subject import Subject

PLAY_TIMEOUT = 5.0  # seconds that one conversation may take
_START_TIMEOUT = 30.0  # seconds: on a busy machine a child starts slowly
_REPORT_TIMEOUT = 1.0  # seconds for a child whose conversation has timed out to report that
MAX_REPORT = 32 * 1024**2  # bytes of a report; a longer one is not read


class PlayerEnded(Exception):
    """The child process cannot play any more: `finding` says why."""

    def __init__(self, finding: Finding):
        super().__init__(f"{finding.diagnosis}: {finding.detail}")
        self.finding = finding


class PlayerFailed(Exception):
    """The process could not play what it was asked for. The text says why, or is a traceback.

    Either the steps or the player are wrong. The student's code can pretend that.
    """


class PlayerNotStarted(Exception):
    """The process that plays did not start. The text says why: the target's code did not run."""


class PlayerProcess(Protocol):
    """A process that has been started with (subject, timeout), and runs run_player()."""

    pipe: Connection

    def exit_code(self, timeout: float) -> int | None:
        """The exit code, or minus the signal that has ended it. None if it runs after `timeout`."""

    def end(self) -> None:
        """End it and all that it has started, and remove its files."""


class ForkedPlayer:
    """A child of this process, with the rights of this process."""

    def __init__(self, subject: Subject, timeout: float):
        self.pipe, child_pipe = multiprocessing.Pipe()
        self._folder = tempfile.TemporaryDirectory()
        order = subject, timeout, self._folder.name
        self._child = start_child(run_forked, child_pipe, self.pipe, *order)
        child_pipe.close()

    def exit_code(self, timeout: float) -> int | None:
        self._child.join(timeout)
        return self._child.exitcode

    def end(self) -> None:
        kill_process_group(self._child)
        self.pipe.close()
        self._folder.cleanup()


class PlayerHandle:
    """A process that plays conversations with the subject. Use it as a context manager.

    `diagnose(finding)` returns a finding that the process has sent with the diagnosis that it must
    have. It raises LookupError for an unknown diagnosis.
    """

    def __init__(
        self,
        subject: Subject,
        timeout: float = PLAY_TIMEOUT,
        start_player: Callable[..., PlayerProcess] = ForkedPlayer,
        diagnose: Callable[[Finding], Finding] = lambda finding: finding,
    ):
        self._arguments = subject, timeout
        self._start_player = start_player
        self._finish = {Finding: diagnose}
        self.file = str(subject.file)
        self._timeout = timeout
        self._player: PlayerProcess | None = None
        self._number = 0  # of the last conversation that the child was asked for
        self._unread = 0  # how many of them receive() has not returned
        self.output = LimitedOutput()  # what the file printed when it was imported
        self.problem: Finding | None = None  # why the file cannot be run

    def __enter__(self):
        self._start()
        return self

    def __exit__(self, *_):
        self._stop()

    def wait_until_loaded(self) -> None:
        """Wait until the file has been imported: `output` and `problem` are known then."""
        try:
            kind, *values = self._receive(self._timeout + _START_TIMEOUT)
            with _unreadable_reports_end_it():
                match kind, values:
                    case "problem", [dict(finding)]:
                        self.problem = read_dataclass(Finding, finding, self._finish)
                    case "loaded", [str(text), int(cut)]:
                        self.output = LimitedOutput(text, cut)
                    case _:
                        raise ValueError(f"{kind!r} does not say whether the file was loaded")
        except PlayerEnded as ended:
            self.problem = ended.finding

    def play(self, steps, options: PlayOptions = DEFAULTS) -> Report:
        """Play one conversation. Raises PlayerEnded if the process has died.

        What was asked for before and not received is thrown away.
        """
        self.drop_unread()
        self.send(steps, options)
        return self.receive()

    def drop_unread(self) -> None:
        """Receive and forget what was asked for before."""
        while self._unread:
            self.receive()

    def send(self, steps, options: PlayOptions = DEFAULTS) -> None:
        """Ask for a conversation; receive() returns it. Several may be asked for at once."""
        if self._player is None:  # the last conversation has ended the process
            self._start()
            self.wait_until_loaded()
        try:
            send_data(self._player.pipe, (self._number + 1, [str(step) for step in steps], options))
        except OSError:
            raise PlayerEnded(self._how_it_ended()) from None
        self._number += 1
        self._unread += 1

    def receive(self) -> Report:
        """What happened in the next conversation that was asked for.

        Raises PlayerEnded if the process has died. The next send() starts another one.
        """
        self._unread -= 1
        number = self._number - self._unread
        try:
            kind, *values = self._receive(
                self._timeout * WAITING_FACTOR + _REPORT_TIMEOUT + _START_TIMEOUT
            )
            with _unreadable_reports_end_it():
                played, data = values
                if kind != "played" or played != number:
                    raise ValueError(f"it is not the report on conversation {number}")
                report = read_dataclass(Report, data, self._finish)
        except PlayerEnded:
            self._stop()
            raise
        if report.unknown_step:
            raise PlayerFailed(report.unknown_step)
        if report.stuck:
            self._stop()
        return report

    def _start(self) -> None:
        self._player = self._start_player(*self._arguments)

    def _stop(self) -> None:
        if self._player is not None:
            self._player.end()
        self._player = None
        self._unread = 0

    def _receive(self, seconds: float):
        try:
            with _unreadable_reports_end_it():
                kind, *values = self._receive_message(seconds)
                match kind, values:
                    case "fault", [str(text)]:
                        raise PlayerFailed(text)
        except EOFError:
            raise PlayerEnded(self._how_it_ended()) from None
        return kind, *values

    def _receive_message(self, seconds: float):
        if not self._player.pipe.poll(seconds):
            finding = make_finding("stuck", detail=f"No report for {seconds:g} s.")
            raise PlayerEnded(finding)
        return receive_data(self._player.pipe, MAX_REPORT)

    def _how_it_ended(self) -> Finding:
        code = self._player.exit_code(_REPORT_TIMEOUT)
        how = f"with exit code {code}"
        if code is not None and code < 0:
            how = f"by {_signal_name(-code)}"
        return make_finding("process-died", detail=f"The process ended {how}.")


def play_once(
    subject: Subject, steps, options: PlayOptions, diagnose: Callable[[Finding], Finding]
) -> Report:
    """Play one conversation in a new process.

    Raises CheckFailed for a file that cannot be run, PlayerEnded and PlayerFailed.
    """
    with PlayerHandle(subject, diagnose=diagnose) as player:
        player.wait_until_loaded()
        if player.problem:
            raise CheckFailed(player.problem)
        return player.play(steps, options)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have no name
        return f"signal {number}"


# What it raises to read a report that was forged.
_UNREADABLE = (
    *(OSError, ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, RecursionError),
)


@contextmanager
def _unreadable_reports_end_it():
    """Within it, a report that cannot be read raises PlayerEnded."""
    try:
        yield
    except EOFError:
        raise
    except _UNREADABLE as error:
        detail = f"The process sent a report that cannot be read: {error}"
        raise PlayerEnded(make_finding("process-died", detail=detail)) from None
