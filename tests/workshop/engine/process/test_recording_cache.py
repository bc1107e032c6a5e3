"""The cache of recordings: each entry is made once, and several are made at the same time."""

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process import recording_cache
from lessons.workshop.engine.process.conversation import PlaybackLimitExceeded
from lessons.workshop.engine.process.recording_cache import Recording, cached, record

TIMEOUT = 60  # seconds; only a test that fails waits so long
REQUESTS = 8


@pytest.fixture(autouse=True)
def entries(monkeypatch):
    """An empty cache."""
    monkeypatch.setattr(recording_cache, "_entries", OrderedDict())


def requested_at_once(make):
    """The futures of several requests for the same entry, which begin at the same time."""
    begin = threading.Barrier(REQUESTS)

    def request():
        begin.wait(TIMEOUT)
        return cached(("one",), make)

    with ThreadPoolExecutor(REQUESTS) as threads:
        return [threads.submit(request) for _ in range(REQUESTS)]


def test_two_entries_are_made_at_the_same_time():
    both = threading.Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        for made in [threads.submit(cached, (key,), lambda: both.wait(TIMEOUT)) for key in "ab"]:
            made.result()


def test_an_entry_is_made_once_for_all_requests():
    made = []

    def make():
        made.append(object())
        return made[0]

    assert {future.result() for future in requested_at_once(make)} == {*made}
    assert len(made) == 1


def test_a_request_that_waits_gets_the_exception_of_the_first_one():
    def fail():
        raise ValueError("no recording")

    for future in requested_at_once(fail):
        with pytest.raises(ValueError, match="no recording"):
            future.result()


def test_an_entry_that_could_not_be_made_is_made_by_the_next_request():
    with pytest.raises(ZeroDivisionError):
        cached(("one",), lambda: 1 / 0)
    assert cached(("one",), lambda: 1) == 1
    assert cached(("one",), lambda: 2) == 1


def test_a_recording_that_was_cut_is_made_again(monkeypatch):
    answers = [PlaybackLimitExceeded("Stopped after 5 s.", ()), ()]

    def play(*_):
        if isinstance(answer := answers.pop(0), Exception):
            raise answer
        return answer

    monkeypatch.setattr(recording_cache, "play", play)
    recordings = [record(find("stop"), "solution", ["connect"]) for _ in range(3)]
    assert recordings == [Recording((), "Stopped after 5 s."), Recording(()), Recording(())]


def test_the_entry_that_was_not_used_for_the_longest_time_is_forgotten(monkeypatch):
    monkeypatch.setattr(recording_cache, "MAX_ENTRIES", 2)
    for key in "abac":
        cached((key,), lambda: "first")
    assert [cached((key,), lambda: "again") for key in "acb"] == ["first", "first", "again"]
