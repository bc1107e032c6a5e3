"""What one conversation decides: the order of what happens at the same time, and what is taken.

A seed gives both the decisions of a test, such as which client acts next, and those of the loop,
such as when the result of a thread arrives. To shorten a conversation, the decisions of the test
are played again from a list, of which some are left out.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_REPLAYS = 150  # conversations that are played to shorten a failing one
OTHER_ORDERS = range(1, 6)  # seeds of the loop with which a shorter conversation is tried, too


@dataclass(frozen=True)
class Decisions:
    """How a conversation goes: the loop's seed, and the test's decisions or the seed for them.

    With seed 0 and nothing given, everything happens in its natural order.
    """

    seed: int = 0
    given: tuple[int, ...] | None = None


NATURAL = Decisions()


class Choices:
    """The decisions of a test. `taken` is what it has decided so far."""

    def __init__(self, decisions: Decisions):
        self.is_natural = decisions == NATURAL
        self.taken: list[int] = []
        self._given = decisions.given
        self._random = random.Random(f"test {decisions.seed}")

    def below(self, count: int) -> int:
        """A number from 0 on. 0 is the simplest decision: the first, or no further one."""
        if self.is_natural:
            return 0
        number = len(self.taken)
        if self._given is None:
            decided = self._random.randrange(count)
        else:
            decided = min(self._given[number], count - 1) if number < len(self._given) else 0
        self.taken.append(decided)
        return decided

    def choice(self, items: Sequence):
        return items[self.below(len(items))]

    def merged(self, items: Sequence, lane_of: Callable) -> list:
        """The items in some order, in which the items of one lane keep theirs."""
        left, merged = [*items], []
        while left:
            lanes = [lane_of(item) for item in left]
            first = [item for n, item in enumerate(left) if lanes.index(lanes[n]) == n]
            merged.append(self.choice(first))
            left.remove(merged[-1])
        return merged


def shortest(found: Decisions, taken: Sequence[int], fails: Callable[[Decisions], bool]):
    """The shortest decisions that still fail, of those that were tried."""
    left, best, current = MAX_REPLAYS, found, [*taken]

    def is_red(shorter: list[int]) -> bool:
        nonlocal left, best, current
        for seed in dict.fromkeys((0, best.seed, *OTHER_ORDERS)):
            if left == 0:
                return False
            left -= 1
            if fails(candidate := Decisions(seed, tuple(shorter))):
                best, current = candidate, shorter
                return True
        return False

    is_red(current)
    size = len(current)
    while size:
        end = len(current)
        while end > 0:
            begin = max(0, end - size)
            is_red(current[:begin] + current[end:])
            end = min(begin, len(current))
        size //= 2
    for index, decided in enumerate([*current]):
        if decided and index < len(current):
            is_red([*current[:index], 0, *current[index + 1 :]])
    return best
