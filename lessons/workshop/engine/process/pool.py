"""Some processes that play conversations with one subject side by side."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.connection import wait

from ..script.report import DEFAULTS, PlayOptions, Report
from ..script.steps import Step
from ..subject import Subject
from .player_handle import PlayerHandle, Request

PROCESSES = min(os.cpu_count() or 1, 8)  # that play side by side
IN_ADVANCE = 16  # conversations that are asked for before the parent judges the first
_LONGEST = 60.0  # seconds until even a player that hangs has sent an answer


class PlayerPool:
    """Some players of one subject, which play side by side. Use it as a context manager.

    Reports are returned in the order of the requests, and the requests decide which player gets
    which: the one whose requests so far cost the least. So no result depends on the time that a
    conversation takes, or on the number of players.
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
        while (request := take()) or waiting:
            if request:
                player = min(self._players, key=lambda it: it.asked)
                player.ask(request)
                waiting.append((player, request))
            if not request or len(waiting) == IN_ADVANCE:
                player, first = waiting.popleft()
                while first.answer is None:
                    self._read(player)
                yield first

    def _read(self, awaited: PlayerHandle) -> None:
        """Read what players have sent, so that each can go on, until `awaited` has answered."""
        pipes = {it.pipe: it for it in self._players if it.pipe}
        ready = wait(pipes, _LONGEST) if awaited.pipe else ()
        for player in [pipes[it] for it in ready] or [awaited]:
            if player.is_loaded or not ready:
                player.answer_next()
            else:
                player.wait_until_loaded()
