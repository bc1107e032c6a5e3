"""The socket over which a page gets what happens to its exercise."""

from unittest.mock import Mock

import pytest

from lessons.workshop.judge.daemon import judge_client
from lessons.workshop.judge.daemon.exercise_watcher import save_report
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.page.exercise import exercise_status
from lessons.workshop.page.live import page_socket
from lessons.workshop.student import progress
from tests.support.played_page import PageClient

GREEN, NOT_RUN = (
    Verdict("01-lamp", "exercise", (Outcome("a", "It lights.", state),))
    for state in ("green", "not run")
)


@pytest.fixture
def lamp(course, settings, monkeypatch):
    settings.WORKSHOP = True
    for interval in ("INTERVAL", "JUDGE_INTERVAL"):
        monkeypatch.setattr(exercise_status, interval, 0.005)
    monkeypatch.setattr(exercise_status, "MISSING_TIMEOUT", 0.5)
    monkeypatch.setattr(page_socket, "FAILURE_PAUSE", 0)
    # The first panel of a process takes longer: Django compiles the templates.
    exercise_status.render_panel({"headers": []}, course[0], progress.Progress())
    return course[0]


@pytest.fixture
def judge():
    """The judge's lock, as if it ran."""
    lock = judge_client.acquire_lock()
    yield lock
    lock.close()


@pytest.fixture
def page():
    """`await page("01-lamp", version="0")`: the socket of a page that shows this version."""

    async def connect(key, version="0", source=""):
        query = f"?version={version}&source={source}"
        path = f"/ws/feed/exercise/{key}/{query}"
        communicator = PageClient(exercise_status.ExerciseStatus.as_asgi(), path)
        communicator.scope["url_route"] = {"kwargs": {"key": key}}
        opened, _ = await communicator.connect()
        return communicator if opened else None

    return connect


async def news_of(client, name):
    """The next value that the socket sends under this name."""
    while name not in (news := await client.receive_json_from()):
        pass
    return news[name]


async def test_a_page_gets_what_the_judge_knows_so_far_and_then_the_verdict(lamp, page, judge):
    client = await page("01-lamp")
    await client.receive_json_from()
    save_report(lamp.key, {"judging": True, "claims": NOT_RUN.as_json()})
    news = await client.receive_json_from()
    assert news["judging"]
    assert 'data-version="0"' in news["panel"]
    assert "It lights." in news["panel"]
    progress.save_verdict(lamp, GREEN)
    save_report(lamp.key, {"judging": False, "verdict": GREEN.as_json()})
    assert 'data-version="1"' in await news_of(client, "panel")
    await client.disconnect()


async def test_the_forms_of_the_panel_have_a_token_for_the_pages_cookie(lamp, page):
    headers = [(b"cookie", b"csrftoken=" + b"a" * 32)]
    token = exercise_status.csrf_token({"headers": headers})
    html = exercise_status.render_panel({"headers": headers}, lamp, progress.of(lamp))
    assert len(token) == 64
    assert 'name="csrfmiddlewaretoken"' in html


async def test_a_page_learns_that_the_judge_is_missing_and_that_it_is_back(lamp, page, judge):
    client = await page("01-lamp")
    assert (await client.receive_json_from())["judge"] == "running"
    judge.close()
    assert await client.receive_json_from() == {"judge": "restarting"}
    assert await client.receive_json_from() == {"judge": "missing"}
    with judge_client.acquire_lock():
        assert await client.receive_json_from() == {"judge": "running"}
        await client.disconnect()


async def test_a_page_whose_news_cannot_be_made_is_closed_and_connects_again(
    lamp, page, monkeypatch, caplog
):
    with monkeypatch.context() as failing:
        failing.setattr(exercise_status, "render_panel", Mock(side_effect=OSError("no file")))
        client = await page("01-lamp", version="old")
        sent = await client.receive_output()
        while sent["type"] == "websocket.send":
            sent = await client.receive_output()
    assert sent == {"type": "websocket.close"}
    assert [str(record.exc_info[1]) for record in caplog.records] == ["no file"]
    await client.disconnect()
    client = await page("01-lamp", version="old")
    await news_of(client, "panel")
    await client.disconnect()


async def test_rejects_a_page_of_an_unknown_lesson(lamp, page):
    assert await page("99") is None


async def test_the_list_gets_a_changed_state(lamp, page):
    client = await page("", version="000")
    progress.save_verdict(lamp, GREEN)
    panel = (await client.receive_json_from())["panel"]
    assert 'data-version="200"' in panel
    assert "Continue with lesson 2" in panel
    progress.show_hint(lamp)
    assert await client.receive_nothing(0.03)
    await client.disconnect()
