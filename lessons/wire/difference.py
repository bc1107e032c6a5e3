"""Where two recordings of the same conversation part."""

import re
from collections.abc import Sequence
from itertools import takewhile, zip_longest
from typing import NamedTuple

from lessons.wire.events import Event
from lessons.wire.transcript import first_difference, normal

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.:+Z]*")


class FirstDifference(NamedTuple):
    """The index in each recording of what differs first; None where a recording has nothing."""

    right: int | None
    wrong: int | None


def find_first_difference(right: Sequence[Event], wrong: Sequence[Event]) -> FirstDifference | None:
    """The first difference; None where both say the same.

    One connection is compared with the one that was opened in its turn, since which of several
    comes first may be left to chance. No two are made at the same time, so times do not count.
    """
    found = []
    pairs = zip_longest(_by_connection(right), _by_connection(wrong), fillvalue=[])
    for one, other in pairs:
        first = first_difference(
            [_timeless(right[index].message) for index in one],
            [_timeless(wrong[index].message) for index in other],
        )
        if first is not None:
            found.append(FirstDifference(_at(one, first), _at(other, first)))
    return min(found, key=lambda it: min(x for x in it if x is not None), default=None)


def first_differing_connections(
    right: Sequence[Event], wrong: Sequence[Event]
) -> tuple[list[Event], list[Event]]:
    """The events of the connection with the first difference; of the first, where all is alike."""
    parting = find_first_difference(right, wrong)
    for one, other in zip_longest(_by_connection(right), _by_connection(wrong), fillvalue=[]):
        if parting is None or parting.right in one or parting.wrong in other:
            return [right[index] for index in one], [wrong[index] for index in other]
    return [], []


def matching_connections(events: Sequence[Event], of: Sequence[Event]) -> list[Event]:
    """Those of `events` whose connections began as the connections in `of` did, one for each."""
    left = [[events[index] for index in one] for one in _by_connection(events)]
    kept = []
    for indices in _by_connection(of):
        wanted = [_timeless(of[index].message) for index in indices]
        best = max(left, key=lambda one: _in_common(one, wanted), default=[])
        kept += best
        left = [one for one in left if one is not best]
    return sorted(kept, key=lambda event: event.time)


def _in_common(events: list[Event], wanted: list[dict]) -> int:
    pairs = zip((_timeless(event.message) for event in events), wanted, strict=False)
    return sum(1 for _ in takewhile(lambda pair: normal(pair[0]) == normal(pair[1]), pairs))


def _timeless(value):
    if isinstance(value, str):
        return _TIME.sub("a time", value)
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items()}
    return value


def _by_connection(events: Sequence[Event]) -> list[list[int]]:
    """The indices of each connection's events, in the order in which they were opened."""
    indices: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        indices.setdefault(event.connection, []).append(index)
    return list(indices.values())


def _at(indices: list[int], place: int) -> int | None:
    return indices[place] if place < len(indices) else None
