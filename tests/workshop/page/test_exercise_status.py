"""What a page gets over its socket of its exercise."""

from unittest.mock import Mock

import pytest

from lessons.workshop.judge.daemon import judge_client
from lessons.workshop.judge.daemon.exercise_watcher import save_report
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.page.exercise import exercise_status
from lessons.workshop.page.live import page_socket
from lessons.workshop.student import progress
from tests.support.page_client import news_of, socket_of_page

GREEN, NOT_RUN = (
    Verdict("01-lamp", "exercise", (Outcome("a", "It lights.", state),))
    for state in ("green", "not run")
)


@pytest.fixture
def lamp(course, monkeypatch):
    for interval in ("INTERVAL", "JUDGE_INTERVAL"):
        monkeypatch.setattr(exercise_status, interval, 0.005)
    monkeypatch.setattr(exercise_status, "MISSING_TIMEOUT", 0.5)
    monkeypatch.setattr(page_socket, "FAILURE_PAUSE", 0)
    monkeypatch.setattr(page_socket, "may_join", lambda: False)
    return course[0]


@pytest.fixture
def judge():
    """The judge's lock, as if it ran."""
    lock = judge_client.acquire_lock()
    yield lock
    lock.close()


async def test_a_page_gets_what_the_judge_knows_so_far_and_then_the_verdict(lamp, judge):
    client = await socket_of_page(lesson="01-lamp").open()
    first = await client.receive_json_from()
    assert first["exercise"]["verdict"] == {}
    save_report(lamp.key, {"judging": True, "claims": NOT_RUN.as_json()})
    news = await client.receive_json_from()
    assert news["judging"]
    assert news["exercise"]["state"] == "new"
    assert news["exercise"]["verdict"]["outcomes"][0]["claim"] == "It lights."
    progress.save_verdict(lamp, GREEN)
    save_report(lamp.key, {"judging": False, "verdict": GREEN.as_json()})
    while (await news_of(client, "exercise"))["state"] != "green":
        pass
    await client.disconnect()


async def test_a_page_learns_that_the_judge_is_missing_and_that_it_is_back(lamp, judge):
    client = await socket_of_page(lesson="01-lamp").open()
    assert (await client.receive_json_from())["judge"] == "running"
    judge.close()
    assert await client.receive_json_from() == {"judge": "missing"}
    with judge_client.acquire_lock():
        assert await client.receive_json_from() == {"judge": "running"}
        await client.disconnect()


async def test_a_page_without_its_news_is_closed_and_connects_again(lamp, monkeypatch, caplog):
    with monkeypatch.context() as failing:
        failing.setattr(exercise_status, "exercise_json", Mock(side_effect=OSError("no file")))
        client = await socket_of_page(lesson="01-lamp").open()
        assert await client.receive_output() == {"type": "websocket.close"}
    assert [str(record.exc_info[1]) for record in caplog.records] == ["no file"]
    await client.disconnect()
    client = await socket_of_page(lesson="01-lamp").open()
    await news_of(client, "exercise")
    await client.disconnect()


async def test_rejects_a_page_of_an_unknown_lesson(lamp):
    assert await socket_of_page(lesson="99").connect() == (False, 1000)
