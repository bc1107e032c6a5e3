"""Lesson 25, Storyteller: the client says how many words come, and when the story ends."""

import asyncio

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator

from async_demo import storyteller
from async_demo.storyteller import Storyteller

PATH = "/ws/async/stream/"


@pytest.fixture
def fast(monkeypatch):
    """The words come at once."""

    async def words_of(title):
        for word in storyteller.STORIES[title].split():
            yield word

    monkeypatch.setattr(storyteller, "words_of", words_of)


def test_sends_three_words_and_three_more_when_asked(fast):
    async def conversation():
        client = WebsocketCommunicator(Storyteller.as_asgi(), PATH)
        await client.connect()
        await client.send_to(text_data="fox")
        assert [await client.receive_from() for _ in range(3)] == ["The", "fox", "called"]
        assert await client.receive_nothing()
        await client.send_to(text_data="more")
        assert [await client.receive_from() for _ in range(4)] == [
            *("the", "grapes", "sour"),
            "the end",
        ]
        await client.disconnect()

    async_to_sync(conversation)()


def test_no_task_is_left_when_the_client_leaves_in_the_middle(fast):
    async def conversation():
        client = WebsocketCommunicator(Storyteller.as_asgi(), PATH)
        await client.connect()
        await client.send_to(text_data="hare")
        assert await client.receive_from() == "The"
        await client.disconnect()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# A stock test waits in real time, and cannot cancel a consumer as a stopped server does. The strict
# communicator simulates the clock, and ends a connection in every way in which Daphne ends one.

from channels.routing import URLRouter

from async_demo.routing import websocket_urlpatterns
from lessons.workshop.judge import StrictCommunicator

HARE = storyteller.STORIES["hare"].split()


@pytest.fixture
async def client():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        assert await client.connect() == (True, None)
        client.expect()
        yield client


async def receives(client, *texts, within=0.05):
    """Expect these frames by then, and no other."""
    await asyncio.sleep(within)
    client.expect(*({"type": "websocket.send", "text": text} for text in texts))


async def test_a_word_comes_each_half_second(client):
    await client.send_to(text_data="hare")
    await receives(client, within=0.45)
    for word in HARE[:3]:
        await receives(client, word, within=0.1)
        await receives(client, within=0.4)


async def test_words_wait_for_more_in_a_task_and_not_in_a_handler(client):
    await client.send_to(text_data="hare")
    await receives(client, *HARE[:3], within=60)
    assert not client.is_busy
    for end in (6, 9):
        await client.send_to(text_data="more")
        more = HARE[end - 3 : end]
        await receives(client, *more, *(["the end"] if end == len(HARE) else []), within=60)


async def test_more_does_not_add_up(client):
    for _ in range(5):
        await client.send_to(text_data="more")
    await client.send_to(text_data="hare")
    await receives(client, *HARE[:3], within=60)
    for _ in range(5):
        await client.send_to(text_data="more")
    # The first `more` has sent the word that waited. The last one is good for three.
    await receives(client, *HARE[3:7], within=60)


async def test_more_in_the_middle_fills_the_credit_up(client):
    await client.send_to(text_data="hare")
    await receives(client, *HARE[:2], within=1.1)
    await client.send_to(text_data="more")
    await receives(client, *HARE[2:5], within=60)


@pytest.mark.parametrize(("seconds", "words"), [(0.2, 0), (0.7, 1), (60, 3)])
async def test_a_stop_ends_the_story_at_once(client, seconds, words):
    await client.send_to(text_data="hare")
    await receives(client, *HARE[:words], within=seconds)
    await client.send_to(text_data="stop")
    await receives(client, "stopped", within=0)
    await client.send_to(text_data="more")
    await receives(client, within=60)


@pytest.mark.parametrize("first", [[], ["fox", "more"]])
async def test_a_stop_without_a_story_changes_nothing(client, first):
    for text in first:
        await client.send_to(text_data=text)
        await asyncio.sleep(5)
    while client.unread:
        await client.receive_from()
    await client.send_to(text_data="stop")
    await receives(client, within=60)


async def test_a_story_after_a_stop_has_full_credit(client):
    await client.send_to(text_data="hare")
    await receives(client, *HARE[:3], within=60)
    await client.send_to(text_data="stop")
    await receives(client, "stopped")
    await client.send_to(text_data="fox")
    await receives(client, "The", "fox", "called", within=60)


async def test_a_second_story_is_refused_during_the_first(client):
    await client.send_to(text_data="hare")
    await client.send_to(text_data="fox")
    await receives(client, "busy")
    await receives(client, *HARE[:3], within=60)
    await client.send_to(text_data="fox")
    await receives(client, "busy", within=60)


async def test_a_failure_is_logged_and_reported_and_the_next_story_begins(client, caplog):
    await client.send_to(text_data="wolf")
    await receives(client, "failed")
    (record,) = caplog.records
    assert record.message == "The story 'wolf' failed."
    assert record.exc_info[0] is KeyError
    await client.send_to(text_data="fox")
    await receives(client, "The", within=0.6)


@pytest.mark.parametrize("end", ["stop", "disconnect", "crash", "kill"])
@pytest.mark.parametrize("seconds", [0.7, 60])
async def test_the_source_of_the_words_is_closed_however_a_story_ends(monkeypatch, end, seconds):
    closed = []
    endless_words = storyteller.words_of

    async def words_of(title):
        try:
            async for word in endless_words(title):
                yield word
        finally:
            closed.append(title)

    monkeypatch.setattr(storyteller, "words_of", words_of)
    async with StrictCommunicator(Storyteller.as_asgi(), PATH) as client:
        await client.connect()
        await client.send_to(text_data="hare")
        await asyncio.sleep(seconds)
        while client.unread:
            await client.receive_from()
        assert not closed
        if end == "stop":
            await client.send_to(text_data="stop")
            await receives(client, "stopped", within=0)
        else:
            await getattr(client, end)()
            assert client.finished
            assert asyncio.all_tasks() == {asyncio.current_task()}
        assert closed == ["hare"]


async def test_says_stopped_when_the_source_of_the_words_is_closed(monkeypatch):
    async def words_of(title):
        try:
            yield "word"
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)  # the end of a connection takes time

    monkeypatch.setattr(storyteller, "words_of", words_of)
    async with StrictCommunicator(Storyteller.as_asgi(), PATH) as client:
        await client.connect()
        client.expect()
        await client.send_to(text_data="hare")
        await receives(client, "word")
        client.deliver({"type": "websocket.receive", "text": "stop"})
        await receives(client, within=0.9)
        await receives(client, "stopped", within=0.2)


async def test_each_client_has_its_own_story_and_credit():
    application = Storyteller.as_asgi()
    async with (
        StrictCommunicator(application, PATH) as first,
        StrictCommunicator(application, PATH) as second,
    ):
        for client in (first, second):
            await client.connect()
            client.expect()
        await first.send_to(text_data="hare")
        await second.send_to(text_data="fox")
        await receives(first, *HARE[:3], within=60)
        await receives(second, "The", "fox", "called", within=0)
        await first.send_to(text_data="more")
        await receives(first, *HARE[3:6], within=60)
        await receives(second, within=0)


async def test_survives_a_cancel_before_its_first_event():
    async with StrictCommunicator(Storyteller.as_asgi(), PATH) as client:
        await client.kill()
        assert client.finished
