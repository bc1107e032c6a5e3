"""The judging process's side of a process that plays conversations with one subject.

The child plays, the parent judges. The parent sends steps. The child imports the student's file
again for each conversation, plays the steps, and sends a report: plain data, of which the parent
checks each field. The child does not know what the exercise promises. So a submission that changes
its own process can change nothing but its own report.
"""

import multiprocessing
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from multiprocessing.connection import Connection
from typing import Protocol

from ..faults.finding import CheckFailed, Finding, make_finding
from ..script.report import DEFAULTS, PlayOptions, Report
from ..script.steps import Step
from ..subject import Subject
from .child_process import end_child, start_child
from .data import read_dataclass, receive_data, send_data
from .output import LimitedOutput
from .player_process import WAITING_FACTOR, run_forked

PLAY_TIMEOUT = 5.0  # seconds that one conversation may take
_START_TIMEOUT = 30.0  # seconds: on a busy machine a child starts slowly
_REPORT_TIMEOUT = 1.0  # seconds for a child whose conversation has timed out to report that
IN_ADVANCE = 2  # requests that a process has been sent, so that it never waits for the parent
MAX_IN_ADVANCE = 4000  # characters of these: a full pipe would block parent and child
MAX_REPORT = 32 * 1024**2  # bytes of a report; a longer one is not read
START_COST = 5  # bursts, which take as long as all else in a conversation


class PlayerEnded(Exception):
    """The process cannot play any more: `finding` says why."""

    def __init__(self, code: str, detail: str):
        super().__init__(detail)
        self.finding = make_finding(code, detail=detail)


class PlayerFailed(Exception):
    """The process could not play what it was asked for. The text says why, or is a traceback.

    Either the steps or the player are wrong. The student's code can pretend that.
    """


class PlayerNotStarted(Exception):
    """The process that plays did not start. The text says why: the subject's code did not run."""


class PlayerProcess(Protocol):
    """A process that has been started with (subject, timeout), and runs run_player()."""

    pipe: Connection

    def exit_code(self, timeout: float) -> int | None:
        """The exit code, or minus the signal that has ended it. None if it runs after `timeout`."""

    def end(self) -> None:
        """End it and all that it has started, and remove its files."""


class ForkedPlayer:
    """A child of this process, with the rights of this process. It waits for begin()."""

    def __init__(self, is_warm: bool = False):
        """`is_warm`: it has played a conversation before."""
        self.pipe, child_pipe = multiprocessing.Pipe()
        self._folder = tempfile.TemporaryDirectory()
        arguments = child_pipe, self.pipe, self._folder.name, is_warm
        self._child = start_child(run_forked, *arguments)
        child_pipe.close()

    def begin(self, subject: Subject, timeout: float) -> None:
        """Say what it plays. Raises OSError if it has ended."""
        send_data(self.pipe, (subject, timeout))

    def exit_code(self, timeout: float) -> int | None:
        self._child.join(timeout)
        return self._child.exitcode

    def end(self) -> None:
        end_child(self._child)
        self.pipe.close()
        self._folder.cleanup()


_warm_players: list[ForkedPlayer] = []  # that wait for a subject


def forked_player(subject: Subject, timeout: float) -> ForkedPlayer:
    """A child that plays the subject: one that is warm, if there is one."""
    while True:
        player = _warm_players.pop() if _warm_players else ForkedPlayer()
        try:
            player.begin(subject, timeout)
            return player
        except OSError:  # the system has killed it
            player.end()


def warm_up(count: int) -> None:
    """Have so many players ready for the next subjects. They end with this process."""
    while len(_warm_players) < count:
        _warm_players.append(ForkedPlayer(is_warm=True))


@dataclass(eq=False)
class Request:
    """Steps to play. The player sets `answer`: what happened, or why there is no report.

    `is_wanted` says whether the answer still matters. If not, a conversation that was lost because
    an earlier one ended the process is not played.
    """

    steps: list[Step]
    options: PlayOptions = DEFAULTS
    is_wanted: Callable[[], bool] = lambda: True
    answer: Report | PlayerEnded | PlayerFailed | None = field(default=None, init=False)

    @cached_property
    def size(self) -> int:
        return sum(map(len, (*map(str, self.steps), *self.options.consumers.values())))

    @property
    def cost(self) -> int:
        """How long it takes to play, in bursts: the further steps of a burst take little time."""
        return START_COST + sum(not str(it).startswith(("& ", "at ")) for it in self.steps)


class PlayerHandle:
    """A process that plays conversations with the subject. Use it as a context manager.

    `diagnose(finding)` returns a finding that the process has sent with the diagnosis that it must
    have. It raises LookupError for an unknown diagnosis.
    """

    def __init__(
        self,
        subject: Subject,
        timeout: float = PLAY_TIMEOUT,
        start_player: Callable[..., PlayerProcess] = forked_player,
        diagnose: Callable[[Finding], Finding] = lambda finding: finding,
    ):
        self._arguments = subject, timeout
        self._start_player = start_player
        self._finish = {Finding: diagnose}
        self._timeout = timeout
        self._player: PlayerProcess | None = None
        self.is_loaded = False  # whether the process has said that it has imported the file
        self._unread: deque[Request] = deque()
        self._sent = 0  # how many of these, the first ones, the process has been sent
        self.asked = 0  # the cost of all requests so far
        self.output = LimitedOutput()  # what the file printed when it was imported
        self.problem: Finding | None = None  # why the file cannot be run

    def __enter__(self):
        self._player = self._start_player(*self._arguments)
        return self

    def __exit__(self, *_):
        """End the process. What it was sent is lost, so the next process is sent that again."""
        if self._player is not None:
            self._player.end()
        self._player, self.is_loaded, self._sent = None, False, 0

    def wait_until_loaded(self) -> None:
        """Wait until the file has been imported: `output` and `problem` are known then."""
        if not self.is_loaded:
            self.is_loaded = True
            try:
                self._receive(self._timeout + _START_TIMEOUT, is_loading=True)
            except PlayerEnded as ended:
                self.problem = ended.finding

    def play(self, steps: Sequence[Step | str], options: PlayOptions = DEFAULTS) -> Report:
        """Play one conversation. Raises PlayerEnded or PlayerFailed."""
        request = Request(steps, options)
        self.ask(request)
        while request.answer is None:
            self.answer_next()
        if not isinstance(request.answer, Report):
            raise request.answer
        return request.answer

    @property
    def unread(self) -> int:
        return len(self._unread)

    @property
    def pipe(self) -> Connection | None:
        """Through which the next answer comes; None if the process plays nothing."""
        return self._player.pipe if self._player and self._sent else None

    def ask(self, request: Request) -> None:
        """Ask for a conversation; answer_next() answers the oldest request."""
        self._unread.append(request)
        self.asked += request.cost
        self._send_more()

    def _send_more(self) -> None:
        """Send the next requests, as many as the process should have at the same time."""
        with suppress(PlayerEnded):  # that shows when an answer is read
            while self._player and self._sent < min(IN_ADVANCE, len(self._unread)):
                request = self._unread[self._sent]
                size = sum(it.size for it in islice(self._unread, self._sent + 1))
                if (self._sent and size > MAX_IN_ADVANCE) or not request.is_wanted():
                    return
                self._send(request)

    def answer_next(self) -> None:
        """Answer the oldest request: with what happened, or with the end of the process."""
        request = self._unread[0]
        try:
            is_dropped = not self._sent and not request.is_wanted()
            request.answer = Report() if is_dropped else self._played(request)
        except (PlayerEnded, PlayerFailed) as why:
            request.answer = why
        self._unread.popleft()
        self._sent = max(self._sent - 1, 0)
        if not isinstance(request.answer, Report) or request.answer.stuck:
            self.__exit__()
        self._send_more()

    def _played(self, request: Request) -> Report:
        if self._player is None:
            self.__enter__()
        self.wait_until_loaded()
        if not self._sent:
            self._send(request)
        timeout = self._timeout * WAITING_FACTOR + _REPORT_TIMEOUT + _START_TIMEOUT
        report = self._receive(timeout)
        if report.unknown_step:
            raise PlayerFailed(report.unknown_step)
        return report

    def _send(self, request: Request) -> None:
        try:
            send_data(self._player.pipe, ([*map(str, request.steps)], request.options))
        except OSError:
            raise PlayerEnded("process-died", self._how_it_ended()) from None
        self._sent += 1

    def _receive(self, seconds: float, is_loading: bool = False) -> Report | None:
        """The next report; or None, when the message about the import of the file has come."""
        try:
            if not self._player.pipe.poll(seconds):
                raise PlayerEnded("stuck", f"No report for {seconds:g} s.")
            match (is_loading, *receive_data(self._player.pipe, MAX_REPORT)):
                case _, "fault", str(text):
                    raise PlayerFailed(text)
                case False, "played", dict(report):
                    return read_dataclass(Report, report, self._finish)
                case True, "problem", dict(finding):
                    self.problem = read_dataclass(Finding, finding, self._finish)
                case True, "loaded", str(text), int(cut):
                    self.output.add(text, cut)
                case _:
                    raise ValueError("it is not what was asked for")
            return None
        except (EOFError, ConnectionError):  # a reset, if it has not read all that was asked for
            raise PlayerEnded("process-died", self._how_it_ended()) from None
        except (PlayerEnded, PlayerFailed):
            raise
        except Exception as error:  # a forged report may be anything
            detail = f"The process sent a report that cannot be read: {error}"
            raise PlayerEnded("process-died", detail) from None

    def _how_it_ended(self) -> str:
        code = self._player.exit_code(_REPORT_TIMEOUT)
        if code is None or code >= 0:
            return f"The process ended with exit code {code}."
        names = {it.value: it.name for it in signal.Signals}
        return f"The process ended by {names.get(-code, f'signal {-code}')}."


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
