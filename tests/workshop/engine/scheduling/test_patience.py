"""The limit counts work and idleness, and not the time that other processes take."""

import pytest

from lessons.workshop.engine.scheduling import patience
from lessons.workshop.engine.scheduling.patience import Patience


@pytest.fixture
def looks(monkeypatch):
    """Looks at a process that has worked so many seconds before each look: is it over?"""

    def looks(*worked):
        times = [sum(worked[:count]) for count in range(len(worked) + 1)]
        monkeypatch.setattr(patience, "_processor_time", iter(times).__next__)
        limit = Patience(1.0, 0.3)
        return [limit.is_over() for _ in worked]

    return looks


def test_is_over_after_enough_work(looks):
    assert looks(0.5, 0.4, 0.2) == [False, False, True]


def test_is_over_after_enough_idleness(looks):
    assert looks(0, 0, 0) == [False, False, True]


def test_is_not_over_while_a_busy_machine_lets_the_process_work_a_little(looks):
    assert looks(*[0, 0, 0.002] * 10) == [False] * 30
