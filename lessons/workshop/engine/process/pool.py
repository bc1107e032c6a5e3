"""Some processes that play conversations with one subject side by side."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import cycle

from ..script.report import DEFAULTS, PlayOptions, Report
from ..script.steps import Step
from ..subject import Subject
from .player_handle import PlayerHandle, Request

PROCESSES = min(os.cpu_count() or 1, 8)  # that play side by side
IN_ADVANCE = 2  # conversations that a player may be asked for before the parent reads the first


class PlayerPool:
    """Some players of one subject, which play side by side. Use it as a context manager.

    Players take turns, and reports are returned in the order of the requests. So the result does
    not depend on the number of players.
    """

    def __init__(self, subject: Subject, *arguments):
        """The arguments are those of a PlayerHandle."""
        # In a worker process, such as one of `lesson verify`, others already play side by side.
        size = 1 if multiprocessing.parent_process() else PROCESSES
        self._players = [PlayerHandle(subject, *arguments) for _ in range(size)]
        self.file = str(subject.file)

    def __enter__(self):
        with ExitStack() as stack:
            for player in self._players:
                stack.enter_context(player)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    @property
    def first(self) -> PlayerHandle:
        """The player whose `output` and `problem` count."""
        return self._players[0]

    def play(self, steps: list[Step], options: PlayOptions = DEFAULTS) -> Report:
        """Play one conversation. Raises PlayerEnded or PlayerFailed."""
        return min(self._players, key=lambda it: it.unread).play(steps, options)

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
                player.ask(request)
                waiting.append((player, request))
            if not request or len(waiting) == IN_ADVANCE * len(self._players):
                player, first = waiting.popleft()
                while first.answer is None:
                    player.answer_next()
                yield first
