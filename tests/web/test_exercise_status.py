"""The socket on which a page hears how its exercise stands."""

import pytest
from channels.testing import WebsocketCommunicator

from lessons.core import progress
from lessons.core.source import find_source
from lessons.judge import judge_status
from lessons.judge.verdict import Outcome, Verdict
from lessons.web.exercise import exercise_status
from lessons.web.exercise.exercise_panel import mark_of, mark_of_all, mark_of_source

GREEN = Verdict("01-lamp", "exercise", (Outcome("a", "A", "green"),))


@pytest.fixture
def lamp(course, monkeypatch):
    progress.state_dir().mkdir(exist_ok=True)
    monkeypatch.setattr(exercise_status, "LOOK", 0.001)
    monkeypatch.setattr(exercise_status, "CENSUS", 0.005)
    monkeypatch.setattr(exercise_status, "GRACE", 0.02)
    return course[0]


@pytest.fixture
def page():
    """`await page("01-lamp")`: its socket, open."""

    async def start(key):
        path = f"/ws/feed/verdicts/{key}/"
        communicator = WebsocketCommunicator(exercise_status.Verdicts.as_asgi(), path)
        communicator.scope["url_route"] = {"kwargs": {"key": key}}
        opened, _ = await communicator.connect()
        return communicator if opened else None

    return start


async def test_a_page_hears_at_once_how_its_exercise_stands(lamp, page):
    with judge_status.acquire_lock():
        client = await page("01-lamp")
        assert await client.receive_json_from() == {
            "mark": mark_of(progress.of(lamp)),
            "judging": False,
            "judge": True,
            "source": mark_of_source(find_source(lamp.demo)),
        }
        await client.disconnect()


async def test_a_page_hears_that_it_is_being_judged_and_of_the_verdict(lamp, page):
    with judge_status.acquire_lock():
        client = await page("01-lamp")
        before = await client.receive_json_from()
        judge_status.announce(lamp.key)
        assert await client.receive_json_from() == {**before, "judging": True}
        progress.keep_verdict(lamp, GREEN)
        after = mark_of(progress.of(lamp))
        assert await client.receive_json_from() == {**before, "judging": True, "mark": after}
        judge_status.announce("")
        assert await client.receive_json_from() == {**before, "mark": after}
        await client.disconnect()


async def test_a_verdict_on_another_lesson_is_no_news(lamp, course, page):
    with judge_status.acquire_lock():
        client = await page("02-bell")
        await client.receive_json_from()
        progress.keep_verdict(lamp, GREEN)
        progress.show_hint(course[1])
        assert (await client.receive_json_from())["mark"] == mark_of(progress.of(course[1]))
        assert await client.receive_nothing(0.01)
        await client.disconnect()


async def test_a_judge_that_does_not_come_back_is_missed(lamp, page):
    with judge_status.acquire_lock():
        client = await page("01-lamp")
        assert (await client.receive_json_from())["judge"]
    assert not (await client.receive_json_from())["judge"]
    with judge_status.acquire_lock():
        assert (await client.receive_json_from())["judge"]
    await client.disconnect()


async def test_there_is_no_such_socket_for_no_such_lesson(lamp, page):
    assert await page("99") is None


async def test_the_list_hears_of_a_state_that_has_changed(lamp, page):
    client = await page("")
    begun = await client.receive_json_from()
    assert begun == {"mark": mark_of_all({})}
    progress.keep_verdict(lamp, GREEN)
    assert await client.receive_json_from() == {"mark": mark_of_all(progress.read())}
    progress.keep_verdict(lamp, GREEN)
    assert await client.receive_nothing(0.01)
    await client.disconnect()
