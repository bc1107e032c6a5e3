"""Finds the first difference between two recordings of the same conversation."""

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.recording.transcript import first_difference

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.:+Z]*")


class FirstDifference(NamedTuple):
    """The index of the first differing event in each recording; None if a recording ends there."""

    right: int | None
    wrong: int | None


def find_first_difference(right: Sequence[Event], wrong: Sequence[Event]) -> FirstDifference | None:
    """The first difference, or None if both recordings have the same messages.

    The first connection is compared with the first, the second with the second: which of several
    connections sends first may be left to chance. Times never match, so they are ignored.
    """
    found = []
    pairs = zip_longest(_by_connection(right), _by_connection(wrong), fillvalue=[])
    for one, other in pairs:
        first = first_difference(
            [_without_times(right[index].message) for index in one],
            [_without_times(wrong[index].message) for index in other],
        )
        if first is not None:
            found.append(FirstDifference(_item_or_none(one, first), _item_or_none(other, first)))
    return min(found, key=lambda it: min(x for x in it if x is not None), default=None)


def find_visible_difference(
    right: Sequence[Event], wrong: Sequence[Event]
) -> FirstDifference | None:
    """The first difference in what a client receives, or in how a consumer ends."""
    in_right, in_wrong = _visible(right), _visible(wrong)
    found = find_first_difference([right[i] for i in in_right], [wrong[i] for i in in_wrong])
    return found and FirstDifference(
        None if found.right is None else in_right[found.right],
        None if found.wrong is None else in_wrong[found.wrong],
    )


def _visible(events: Sequence[Event]) -> list[int]:
    return [index for index, one in enumerate(events) if one.lane in ("client", "consumer")]


def _without_times(value):
    if isinstance(value, str):
        return _TIME.sub("a time", value)
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items()}
    if isinstance(value, list | tuple):  # a recording that was JSON has lists only
        return [_without_times(item) for item in value]
    return value


def _by_connection(events: Sequence[Event]) -> list[list[int]]:
    """The indices of each connection's events, in the order of their first events."""
    indices: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        indices.setdefault(event.connection, []).append(index)
    return list(indices.values())


def _item_or_none(indices: list[int], place: int) -> int | None:
    return indices[place] if place < len(indices) else None
