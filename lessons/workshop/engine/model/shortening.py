"""Finds a shorter conversation in which a consumer differs from its model."""

from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile

from ..faults.burst import ROWS_COLLIDE
from ..process.player_handle import PlayerEnded, PlayerFailed
from ..script.report import PlayOptions, Report
from ..script.steps import Step, bursts_of
from .conversations import leaving
from .model import Model
from .model_difference import Difference, find_difference

MAX_REPLAYED = 3000  # steps that are played to shorten a failing conversation
# Steps that only a client with a request can take, or only one without.
_NEEDS_REQUEST = {"text": (False,), "bytes": (False,), "piece": (True,)}


class Shortening:
    """Makes a failing conversation shorter, as long as any difference shows in it."""

    def __init__(
        self,
        difference: Difference,
        model: type[Model],
        play: Callable[[list[Step], PlayOptions], Report],
    ):
        self.difference = difference
        self._model, self._play = model, play
        self._replayed = 0  # steps

    def run(self) -> Difference:
        """The shortest difference that was found: without clients, steps and timings to spare.

        A conversation that does not end stays: each shorter one might use up its time, too.
        """
        fault = self.difference.fault
        if fault is None or fault.diagnosis != "stuck":
            for client in {step.client: None for step in self._steps if step.client}:
                self._try([step for step in self._steps if step.client != client])
            self._remove_steps()
            self._simplify_steps()
        return self.difference

    @property
    def _steps(self) -> list[Step]:
        return self.difference.steps_so_far

    def _try(self, steps: list[Step]) -> None:
        """Keep the difference in these steps if it is shorter."""
        steps = _playable(steps)
        if not steps or self._replayed + len(steps) > MAX_REPLAYED:
            return
        if _begun_again(steps) > _begun_again(self._steps):
            return
        self._replayed += len(steps)
        steps = [*steps, *leaving(steps)]
        try:
            report = self._play(steps, self._model.play_options())
        except (PlayerEnded, PlayerFailed):  # without its row, a row cannot be changed
            return
        found = find_difference(self._model(), steps, report)
        # Perhaps a row is missing, because its step was left out.
        if _has_collision(found) and not _has_collision(self.difference):
            return
        if found and _length(found) < _length(self.difference):
            self.difference = found

    def _remove_steps(self) -> None:
        """Delta debugging: leave out half of the steps, then a quarter, and so on."""
        size = max(len(self._removable()) // 2, 1)
        while size:
            end = len(self._removable())
            while end > 0:
                removable = self._removable()
                end = min(end, len(removable))
                left_out = {*removable[max(end - size, 0) : end]}
                self._try([it for index, it in enumerate(self._steps) if index not in left_out])
                end -= size
            size //= 2

    def _removable(self) -> list[int]:
        """The indices of the steps that may be left out: the model counts on its setup."""
        setup = {step for steps in self._model.setups for step in steps}
        steps = self._steps
        first = takewhile(lambda it: it.kind.is_setup or str(it) in setup, steps)
        number = len([*first])
        return [n for n, step in enumerate(steps) if n >= number or str(step) not in setup]

    def _simplify_steps(self) -> None:
        clients = dict.fromkeys(step.client for step in self._steps if step.is_own)
        new = {client: number for number, client in enumerate(clients, 1)}
        self._try([replace(it, client=new[it.client]) if it.is_own else it for it in self._steps])
        for index, step in enumerate(self._steps):  # texts stay: they tell clients apart
            if step in self._steps[index : index + 1] and step != (simpler := _waiting(step)):
                self._try([*self._steps[:index], simpler, *self._steps[index + 1 :]])


def _waiting(step: Step) -> Step:
    """The step, taken when the consumer is idle."""
    return replace(step, together=False, point=None)


def _playable(steps: list[Step]) -> list[Step]:
    """The steps of connected clients. The first step of each burst begins it."""
    requests: dict[int, bool] = {}  # whether a client has begun a request, or a connection
    kept: list[Step] = []
    for burst in bursts_of(steps):
        number = len(kept)
        for step in burst:
            if step.kind.begins:
                requests[step.client] = step.kind.is_request
            needs = _NEEDS_REQUEST.get(step.action, (False, True))
            if not step.is_own or requests.get(step.client) in needs:
                # A client that has acted in this burst begins again in a new one. And no step
                # follows in a burst behind one that was taken at a point.
                is_again = step.kind.begins and step.client in {it.client for it in kept[number:]}
                is_again |= any(it.point is not None for it in kept[number:])
                number = len(kept) if is_again else number
                kept.append(_waiting(step) if len(kept) == number else step)
    return [*(step for step in steps if step.kind.is_setup), *kept]


def _begun_again(steps: list[Step]) -> int:
    """How often a client connects again that has not left. Perhaps the consumer had closed it."""
    begun: set[int | None] = set()
    number = 0
    for step in steps:
        if step.kind.begins:
            number += step.client in begun
            begun.add(step.client)
        elif step.kind.ends:
            begun.discard(step.client)
    return number


def _has_collision(difference: Difference | None) -> bool:
    return bool(difference and difference.fault and difference.fault.diagnosis == ROWS_COLLIDE)


def _length(difference: Difference) -> tuple[int, int]:
    steps = difference.steps_so_far
    return len(steps), sum(len(str(step)) for step in steps)
