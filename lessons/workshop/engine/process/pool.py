"""Some processes that play conversations with one subject side by side."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import cycle

from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.process.output import LimitedOutput
from lessons.workshop.engine.process.player_handle import (
    PLAY_TIMEOUT,
    ForkedPlayer,
    PlayerHandle,
    PlayerProcess,
)
from lessons.workshop.engine.script.report import DEFAULTS, PlayOptions, Report
from lessons.workshop.engine.script.steps import Step
from lessons.workshop.engine.subject import Subject

PROCESSES = 2 if (os.cpu_count() or 1) > 1 else 1  # that play side by side
IN_ADVANCE = 6  # conversations that a child may play before the parent has read the first
MAX_IN_ADVANCE = 4000  # characters of steps that one child may have been sent in advance


class PlayerPool:
    """Some players of one subject, which play side by side. Use it as a context manager."""

    def __init__(
        self,
        subject: Subject,
        timeout: float = PLAY_TIMEOUT,
        start_player: Callable[..., PlayerProcess] = ForkedPlayer,
        diagnose: Callable[[Finding], Finding] = lambda finding: finding,
    ):
        """The arguments are those of a PlayerHandle."""
        # In a worker process, such as one of `lesson verify`, others already play side by side.
        size = 1 if multiprocessing.parent_process() else PROCESSES
        arguments = subject, timeout, start_player, diagnose
        self._players = [PlayerHandle(*arguments) for _ in range(size)]
        self._first = self._players[0]
        self._are_loaded = False
        self.file = self._first.file
        self.play = self._first.play
        self.wait_until_loaded = self._first.wait_until_loaded

    def __enter__(self):
        with ExitStack() as stack:
            for player in self._players:
                stack.enter_context(player)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    @property
    def output(self) -> LimitedOutput:
        """What the file printed when it was imported."""
        return self._first.output

    @property
    def problem(self) -> Finding | None:
        """Why the file cannot be run."""
        return self._first.problem

    def play_all(
        self, conversations: Iterable[list[Step]], options: PlayOptions = DEFAULTS
    ) -> Iterator[tuple[list[Step], Report]]:
        """Each conversation and what happened in it, in their order.

        The players take turns, and each plays some conversations in advance. So the result does
        not depend on their number. Raises PlayerEnded if a process has died.
        """
        if not self._are_loaded:
            for player in self._players[1:]:
                player.wait_until_loaded()
            self._are_loaded = True
        for player in self._players:
            player.drop_unread()
        waiting: deque[tuple[PlayerHandle, list[Step]]] = deque()
        for player, steps in zip(cycle(self._players), conversations, strict=False):
            # A full pipe would block both the parent and the child.
            while waiting and (
                len(waiting) == IN_ADVANCE * len(self._players)
                or _size(steps, *(it for other, it in waiting if other is player)) > MAX_IN_ADVANCE
            ):
                sender, sent = waiting.popleft()
                yield sent, sender.receive()
            player.send(steps, options)
            waiting.append((player, steps))
        for sender, sent in waiting:
            yield sent, sender.receive()


def _size(*conversations: list[Step]) -> int:
    """How many characters these conversations have."""
    return sum(len(str(step)) for steps in conversations for step in steps)
