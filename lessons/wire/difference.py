"""Where two recordings of the same conversation part."""

from collections.abc import Sequence
from typing import NamedTuple

from lessons.wire.events import Event
from lessons.wire.transcript import first_difference


class Parting(NamedTuple):
    """The index in each recording of what differs first; None where a recording has nothing."""

    right: int | None
    wrong: int | None


def where_they_part(right: Sequence[Event], wrong: Sequence[Event]) -> Parting | None:
    """The first difference; None where both say the same.

    One connection is compared with the one that was opened in its turn, since which of several
    comes first may be left to chance.
    """
    ours, theirs = _by_connection(right), _by_connection(wrong)
    found = []
    for number in range(max(len(ours), len(theirs))):
        one = ours[number] if number < len(ours) else []
        other = theirs[number] if number < len(theirs) else []
        first = first_difference(
            [right[index].message for index in one], [wrong[index].message for index in other]
        )
        if first is not None:
            found.append(Parting(_at(one, first), _at(other, first)))
    return min(found, key=lambda it: min(x for x in it if x is not None), default=None)


def _by_connection(events: Sequence[Event]) -> list[list[int]]:
    """The indices of each connection's events, in the order in which they were opened."""
    indices: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        indices.setdefault(event.connection, []).append(index)
    return list(indices.values())


def _at(indices: list[int], place: int) -> int | None:
    return indices[place] if place < len(indices) else None
