"""Plays the same conversation once for each point at which another writer can act."""

import itertools


def each_point(points, act):
    """Once for each point: while the loop's body runs, `act()` is awaited at that point.

    `points` is an Interleaving. In the last round the consumer has no point of that number.
    """
    for number in itertools.count():
        points.passed = 0
        with points.at(number, act):
            yield number
        if points.passed <= number:
            return
