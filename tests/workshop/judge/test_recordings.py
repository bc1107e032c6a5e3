"""Recordings: what a page or a lesson's text shows of a conversation, and the cache of them."""

from collections import OrderedDict

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.faults.finding import make_finding
from lessons.workshop.engine.process.player_handle import PlayerHandle
from lessons.workshop.engine.script.report import Report
from lessons.workshop.judge.study import recordings
from lessons.workshop.judge.study.recordings import Recording, cached, playable, record


def test_the_seed_decides_in_a_recording_as_in_a_verdict():
    subject, orders = playable(find("group"), "solution"), []
    with PlayerHandle(subject) as player:
        player.wait_until_loaded()
        for seed in (0, 5):
            connects = ["connect", "2 connect", "3 connect"]
            steps = [f"seed {seed}", *connects, "text a", "& 2 text b", "& 3 text c"]
            burst = player.play(steps).bursts[-1]
            again = recordings.play_as_judged(find("group"), "solution", steps).bursts[-1]
            received, recorded = (
                {number: client.received for number, client in it.clients.items()}
                for it in (burst, again)
            )
            assert recorded == received
            orders.append(received[1])
    assert orders[0] != orders[1]


# The cache of recordings


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch):
    monkeypatch.setattr(recordings, "_entries", OrderedDict())


def test_an_entry_that_could_not_be_made_is_made_by_the_next_request():
    with pytest.raises(ZeroDivisionError):
        cached(("one",), lambda: 1 / 0)
    assert cached(("one",), lambda: 1) == 1
    assert cached(("one",), lambda: 2) == 1


def test_a_recording_that_was_cut_is_made_again(monkeypatch):
    stuck = Report(stuck=make_finding("stuck", detail="Stopped after 5 s."))
    answers = [stuck, Report()]
    monkeypatch.setattr(recordings, "play", lambda *_, **__: answers.pop(0))
    made = [record(find("stop"), "solution", ["connect"]) for _ in range(3)]
    assert made == [Recording((), "Stopped after 5 s."), Recording(()), Recording(())]
