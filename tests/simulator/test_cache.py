"""The cache of a check: not shared, and able to let two processes collide."""

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache

from lessons.core.catalogue import find
from lessons.playback.conversation import play
from lessons.simulator.cache import fresh_cache

SCOPE = {"type": "websocket", "path": "/"}


def application_that_takes(key):
    """Makes an application that accepts a client if it can delete the key."""

    async def application(scope, receive, send):
        assert (await receive())["type"] == "websocket.connect"
        answer = "accept" if await sync_to_async(cache.delete)(key) else "close"
        await send({"type": f"websocket.{answer}"})

    return lambda: application


async def test_starts_empty_and_is_not_shared():
    cache.set("mine", 1)
    async with fresh_cache(None):
        assert cache.get("mine") is None
        cache.set("mine", 2)
    assert cache.get("mine") == 1
    async with fresh_cache(None):
        assert cache.get("mine") is None
    cache.delete("mine")


@pytest.mark.parametrize("is_async", [True, False])
async def test_another_process_runs_after_the_first_call(is_async):
    async with fresh_cache(application_that_takes("key")) as fresh:
        cache.set("key", 1)
        was_accepted = fresh.interrupt_with_client(SCOPE)
        assert (await cache.aget("key") if is_async else cache.get("key")) == 1
        assert not cache.delete("key")
        assert await was_accepted()


async def test_the_other_process_is_too_late_for_an_atomic_delete():
    async with fresh_cache(application_that_takes("key")) as fresh:
        cache.set("key", 1)
        was_accepted = fresh.interrupt_with_client(SCOPE)
        assert await cache.adelete("key")
        assert not await was_accepted()


async def test_the_other_process_runs_last_if_the_cache_was_not_called():
    async with fresh_cache(application_that_takes("key")) as fresh:
        cache.set("key", 1)
        was_accepted = fresh.interrupt_with_client(SCOPE)
        assert await was_accepted()
        assert cache.get("key") is None


def test_a_transcript_hides_the_ticket_of_its_conversation():
    lesson = find("ticket")
    steps = ["1 connect ticket=ada", "2 connect ticket=ada"]
    events = [event.message for event in play(lesson, lesson.demo, steps)]
    scopes = [message for message in events if message["type"] == "scope"]
    assert [scope["query_string"] for scope in scopes] == [b"ticket=[hidden]"] * 2
    assert [
        message["type"]
        for message in events
        if message["type"] in ("websocket.accept", "websocket.close")
    ] == ["websocket.accept", "websocket.close"]
