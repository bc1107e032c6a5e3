"""Lesson 6, Sleeper and OwnThread: which waits block other connections, and which do not."""

import threading
import time

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator

from async_demo.consumers import OwnThread, Sleeper


@pytest.fixture
def sleeping_threads(monkeypatch):
    """The threads that have called time.sleep(). In these tests, time.sleep() takes no time."""
    threads = []
    monkeypatch.setattr(time, "sleep", lambda seconds: threads.append(threading.get_ident()))
    return threads


async def get_answer(client, text):
    await client.send_to(text_data=text)
    return await client.receive_from()


def test_block_sleeps_in_the_thread_of_the_loop(sleeping_threads):
    async def conversation():
        client = WebsocketCommunicator(Sleeper.as_asgi(), "/ws/async/blocking/")
        await client.connect()
        assert await get_answer(client, "block") == "block: done"
        assert sleeping_threads == [threading.get_ident()]
        await client.disconnect()

    async_to_sync(conversation)()


def test_queue_uses_one_thread_for_all_connections_and_thread_uses_another(sleeping_threads):
    async def conversation():
        first = WebsocketCommunicator(Sleeper.as_asgi(), "/ws/async/blocking/")
        second = WebsocketCommunicator(Sleeper.as_asgi(), "/ws/async/blocking/")
        await first.connect()
        await second.connect()
        assert await get_answer(first, "queue") == "queue: done"
        assert await get_answer(second, "queue") == "queue: done"
        assert await get_answer(second, "thread") == "thread: done"
        of_first, of_second, other = sleeping_threads
        assert of_first == of_second
        assert len({of_first, other, threading.get_ident()}) == 3
        await first.disconnect()
        await second.disconnect()

    async_to_sync(conversation)()


def test_own_thread_uses_one_thread_for_each_connection(sleeping_threads):
    async def conversation():
        first = WebsocketCommunicator(OwnThread.as_asgi(), "/ws/async/blocking/own-thread/")
        second = WebsocketCommunicator(OwnThread.as_asgi(), "/ws/async/blocking/own-thread/")
        await first.connect()
        await second.connect()
        for client in (first, second, first):
            assert await get_answer(client, "bake") == "done"
        of_first, of_second, of_first_again = sleeping_threads
        assert of_first == of_first_again != of_second
        await first.disconnect()
        await second.disconnect()

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# A stock test measures real time. The strict communicator simulates the clock, so these tests
# check to the tenth of a second which client waits, and that each consumer stops.


from channels.routing import URLRouter

from async_demo.routing import blocking_urlpatterns
from lessons.workshop.judge import StrictCommunicator
from tests.support.simulated_time import clock, wait

PATH = "/ws/async/blocking/"


def new_client(consumer=Sleeper):
    return StrictCommunicator(consumer.as_asgi(), PATH)


def frame(text):
    return {"type": "websocket.send", "text": text}


@pytest.mark.parametrize("text", ["tick", "", "blocked"])
async def test_other_texts_are_answered_at_once(text):
    with clock() as loop:
        async with new_client() as client:
            assert await client.connect() == (True, None)
            client.expect()
            await client.send_to(text_data=text)
            client.expect(frame(f"{text}: done"))
        assert loop.elapsed() == 0


async def test_bytes_are_answered_at_once():
    async with new_client() as client:
        await client.connect()
        await client.send_to(bytes_data=b"block")
        client.expect(frame("None: done"))


async def test_block_waits_three_seconds_on_the_loop():
    with clock() as loop:
        async with new_client() as client:
            await client.connect()
            await client.send_to(text_data="block")
            client.expect(frame("block: done"))
        [call] = loop.blocking_calls
        assert (call.name, call.seconds) == ("time.sleep", 3)
        assert call.places[0].handler == "Sleeper.websocket_receive"


async def test_queue_blocks_the_other_connection():
    with clock() as loop:
        async with new_client() as one, new_client() as two:
            await one.connect()
            await two.connect()
            await one.send_to(text_data="queue")
            await two.send_to(text_data="tick")
            await wait(2.9)
            two.expect(otherwise="claim-not-met")
            await wait(0.1)
            one.expect(frame("queue: done"))
            two.expect(frame("tick: done"))
        assert loop.blocking_calls == []


@pytest.mark.parametrize("text", ["thread", "sleep"])
async def test_two_connections_wait_at_the_same_time(text):
    with clock() as loop:
        async with new_client() as one, new_client() as two, new_client() as other:
            for client in (one, two, other):
                await client.connect()
            await one.send_to(text_data=text)
            await two.send_to(text_data=text)
            await other.send_to(text_data="tick")
            other.expect(frame("tick: done"))
            await wait(2.9)
            one.expect(otherwise="claim-not-met")
            await wait(0.1)
            one.expect(frame(f"{text}: done"))
            two.expect(frame(f"{text}: done"))
        assert loop.blocking_calls == []


async def test_own_threads_block_no_connection():
    with clock() as loop:
        async with new_client(OwnThread) as one, new_client(OwnThread) as two:
            await one.connect()
            await two.connect()
            await one.send_to(text_data="bake")
            async with new_client() as other:
                await other.connect()
                await other.send_to(text_data="tick")
                other.expect(frame("tick: done"))
            await two.send_to(text_data="bake")
            assert loop.elapsed() == 0
            await wait(3)
            one.expect(frame("done"))
            two.expect(frame("done"))
            assert loop.elapsed() == 3


@pytest.mark.parametrize("consumer", [Sleeper, OwnThread])
@pytest.mark.parametrize("code", [1000, 1001, None])
async def test_stops_when_the_client_leaves(consumer, code):
    async with new_client(consumer) as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished


@pytest.mark.parametrize("path", [PATH, f"{PATH}own-thread/"])
async def test_is_routed_at_its_path(path):
    async with StrictCommunicator(URLRouter(blocking_urlpatterns), path) as client:
        assert await client.connect() == (True, None)
