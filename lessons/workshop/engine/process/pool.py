"""Some processes that play conversations with one subject side by side."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle

from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.process.output import LimitedOutput
from lessons.workshop.engine.process.player_handle import (
    PLAY_TIMEOUT,
    PlayerEnded,
    PlayerFailed,
    PlayerHandle,
    PlayerProcess,
    forked_player,
)
from lessons.workshop.engine.script.report import DEFAULTS, PlayOptions, Report
from lessons.workshop.engine.script.steps import Step
from lessons.workshop.engine.subject import Subject

PROCESSES = min(os.cpu_count() or 1, 8)  # that play side by side
IN_ADVANCE = 2  # conversations that a player may be asked for before the parent reads the first
MAX_IN_ADVANCE = 4000  # characters of them: a full pipe would block parent and child


@dataclass(eq=False)
class Request:
    """Steps to play. The pool sets `answer`: what happened, or why there is no report.

    `is_wanted` says whether the answer still matters. If not, a lost conversation is not played.
    """

    steps: list[Step]
    options: PlayOptions = DEFAULTS
    is_wanted: Callable[[], bool] = lambda: True
    answer: Report | PlayerEnded | PlayerFailed | None = field(default=None, init=False)
    # An earlier conversation ended the process before this one was played.
    was_lost: bool = field(default=False, init=False)

    @property
    def size(self) -> int:
        """The number of characters of its steps and sources."""
        return sum(map(len, (*map(str, self.steps), *self.options.consumers.values())))


class PlayerPool:
    """Some players of one subject, which play side by side. Use it as a context manager.

    Players take turns, and reports are returned in the order of the requests. So the result does
    not depend on the number of players.
    """

    def __init__(
        self,
        subject: Subject,
        timeout: float = PLAY_TIMEOUT,
        start_player: Callable[..., PlayerProcess] = forked_player,
        diagnose: Callable[[Finding], Finding] = lambda finding: finding,
    ):
        """The arguments are those of a PlayerHandle."""
        # In a worker process, such as one of `lesson verify`, others already play side by side.
        size = 1 if multiprocessing.parent_process() else PROCESSES
        arguments = subject, timeout, start_player, diagnose
        self._players = [PlayerHandle(*arguments) for _ in range(size)]
        self._unread: dict[PlayerHandle, deque[Request]] = {it: deque() for it in self._players}
        self._unloaded = set(self._players)
        self.file = str(subject.file)

    def __enter__(self):
        with ExitStack() as stack:
            for player in self._players:
                stack.enter_context(player)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def wait_until_loaded(self) -> None:
        """Wait until one player has imported the file: `output` and `problem` are known then."""
        self._wait_until_loaded(self._players[0])

    @property
    def output(self) -> LimitedOutput:
        """What the file printed when it was imported."""
        return self._players[0].output

    @property
    def problem(self) -> Finding | None:
        """Why the file cannot be run."""
        return self._players[0].problem

    def play(self, steps: list[Step], options: PlayOptions = DEFAULTS) -> Report:
        """Play one conversation. Raises PlayerEnded or PlayerFailed."""
        player = min(self._players, key=lambda it: len(self._unread[it]))
        request = Request(steps, options)
        self._ask(player, request)
        while request.answer is None:
            self._receive(player)
        if not isinstance(request.answer, Report):
            raise request.answer
        return request.answer

    def play_all(self, take: Callable[[], Request | None]) -> Iterator[Request]:
        """Play what `take` returns, until it returns None after the last answer was yielded.

        The conversations are yielded in their order, each with its answer. Some are played before
        the answer of an earlier one is read, so the caller may still ask for more after None.
        """
        waiting: deque[tuple[PlayerHandle, Request]] = deque()
        players = cycle(self._players)
        while (request := take()) or waiting:
            if request:
                player = next(players)
                self._ask(player, request)
                waiting.append((player, request))
            if not request or len(waiting) == IN_ADVANCE * len(self._players):
                player, first = waiting.popleft()
                while first.answer is None:
                    self._receive(player)
                yield first

    def _ask(self, player: PlayerHandle, request: Request) -> None:
        unread = self._unread[player]
        while unread and sum(it.size for it in (*unread, request)) > MAX_IN_ADVANCE:
            self._receive(player)
        request.was_lost = any(it.was_lost for it in unread)  # it waits for its turn, too
        if not request.was_lost:
            try:
                player.send(request.steps, request.options)
            except PlayerEnded:
                request.was_lost = True
        unread.append(request)

    def _receive(self, player: PlayerHandle) -> None:
        """Receive the answer to the oldest request. An end belongs to it if it has no report."""
        self._wait_until_loaded(player)
        request = self._unread[player].popleft()
        try:
            if request.was_lost and request.is_wanted():
                player.send(request.steps, request.options)
            elif request.was_lost:
                request.answer = Report()
                return
            request.answer = player.receive()
        except PlayerEnded as ended:
            request.answer = ended
        except PlayerFailed as failed:
            request.answer = failed
            player.__exit__()  # the next request starts another process
        if not isinstance(request.answer, Report) or request.answer.stuck:
            for other in self._unread[player]:
                other.was_lost = True

    def _wait_until_loaded(self, player: PlayerHandle) -> None:
        if player in self._unloaded:
            self._unloaded.remove(player)
            player.wait_until_loaded()
