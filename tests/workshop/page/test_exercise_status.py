"""The socket over which a page gets what happens to its exercise."""

import asyncio
import json
from contextlib import suppress
from dataclasses import asdict
from unittest.mock import Mock

import pytest

from lessons.workshop.judge.daemon import judge_client
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.page.exercise import exercise_status
from lessons.workshop.page.live import page_socket
from lessons.workshop.student import progress
from tests.support.played_page import PageClient
from tests.support.programs.running_program import TEST_TIMEOUT

GREEN = Verdict("01-lamp", "exercise", (Outcome("a", "It lights.", "green"),))


@pytest.fixture
def lamp(course, settings, monkeypatch):
    settings.WORKSHOP = True
    monkeypatch.setattr(exercise_status, "RECONNECT_INTERVAL", 0.005)
    monkeypatch.setattr(exercise_status, "MISSING_TIMEOUT", 0.5)
    monkeypatch.setattr(page_socket, "FAILURE_PAUSE", 0)
    monkeypatch.setattr(exercise_status, "feed", exercise_status.JudgeFeed())
    # The first panel of a process takes longer: Django compiles the templates.
    exercise_status.render_panel({"headers": []}, course[0], progress.Progress())
    return course[0]


class StubJudge:
    """Listens in the place of the judge process, and reports what the test says."""

    async def __aenter__(self):
        self.writers = []
        self.connected = asyncio.Event()
        self.server = await asyncio.start_server(self.accept, judge_client.HOST, 0)
        # Nothing else runs between these two calls, or a feed would find the address of a judge
        # that has ended, and report that the judge restarts.
        self.lock = judge_client.acquire_lock()
        judge_client.write_address(self.server.sockets[0].getsockname()[1], "token")
        return self

    async def __aexit__(self, *_):
        self.lock.close()
        self.server.close()
        for writer in self.writers:
            writer.close()
            with suppress(ConnectionError):  # this server had closed it
                await writer.wait_closed()

    async def accept(self, reader, writer):
        assert json.loads(await reader.readline()) == {"token": "token", "follow": True}
        self.writers.append(writer)
        known = {key: asdict(one) for key, one in progress.read().items()}
        self.report(judging=None, progress=known)
        self.connected.set()

    async def wait_until_connected(self):
        await asyncio.wait_for(self.connected.wait(), TEST_TIMEOUT)

    async def next_connection(self):
        await self.wait_until_connected()
        self.connected.clear()

    def report(self, **message):
        for writer in self.writers:
            writer.write(json.dumps(message).encode() + b"\n")

    def report_progress(self, lesson):
        self.report(progress={lesson.key: asdict(progress.of(lesson))})


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


async def test_a_page_gets_the_verdict_and_that_the_checks_run(lamp, page):
    async with StubJudge() as judge:
        client = await page("01-lamp")
        await client.receive_json_from()
        await judge.wait_until_connected()
        judge.report(judging="01-lamp")
        assert await client.receive_json_from() == {"judging": True}
        progress.save_verdict(lamp, GREEN)
        judge.report_progress(lamp)
        panel = (await client.receive_json_from())["panel"]
        assert 'data-version="1"' in panel
        assert "It lights." in panel
        judge.report(judging=None)
        assert await client.receive_json_from() == {"judging": False}
        await client.disconnect()


async def test_the_forms_of_the_panel_have_a_token_for_the_pages_cookie(lamp, page):
    headers = [(b"cookie", b"csrftoken=" + b"a" * 32)]
    token = exercise_status.csrf_token({"headers": headers})
    html = exercise_status.render_panel({"headers": headers}, lamp, progress.of(lamp))
    assert len(token) == 64
    assert 'name="csrfmiddlewaretoken"' in html


async def test_a_page_learns_that_the_judge_is_missing_and_that_it_is_back(lamp, page):
    async with StubJudge() as judge:
        client = await page("01-lamp")
        assert (await client.receive_json_from())["judge"] == "running"
        await judge.wait_until_connected()
    assert await client.receive_json_from() == {"judge": "restarting"}
    assert await client.receive_json_from() == {"judge": "missing"}
    async with StubJudge():
        assert await client.receive_json_from() == {"judge": "running"}
        await client.disconnect()


async def test_a_page_whose_news_cannot_be_made_is_closed_and_connects_again(
    lamp, page, monkeypatch, caplog
):
    async with StubJudge():
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
    async with StubJudge() as judge:
        client = await page("", version="000")
        await judge.wait_until_connected()
        progress.save_verdict(lamp, GREEN)
        judge.report_progress(lamp)
        panel = (await client.receive_json_from())["panel"]
        assert 'data-version="200"' in panel
        assert "Continue with lesson 2" in panel
        progress.show_hint(lamp)
        judge.report_progress(lamp)
        assert await client.receive_nothing(0.01)
        await client.disconnect()
