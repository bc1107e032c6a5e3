"""Lesson 6: which thread sleeps decides which connections wait.

`block` sleeps in the thread of the event loop, `queue` in the sync thread that all connections
share, `thread` in a thread of its own, and OwnThread in one thread for each connection.
"""

import threading
import time
from types import SimpleNamespace

import pytest
from channels.testing import WebsocketCommunicator

from async_demo import consumers
from async_demo.consumers import OwnThread, Sleeper

PATH = "/ws/async/blocking/"


async def connect(consumer):
    client = WebsocketCommunicator(consumer.as_asgi(), PATH)
    assert await client.connect() == (True, None)
    return client


@pytest.fixture
def sleeping_threads(monkeypatch):
    """The threads that have called time.sleep(). In these tests, time.sleep() takes no time."""
    threads = []
    monkeypatch.setattr(time, "sleep", lambda seconds: threads.append(threading.get_ident()))
    return threads


async def get_answer(client, text):
    await client.send_to(text_data=text)
    return await client.receive_from()


async def test_block_sleeps_in_the_thread_of_the_loop(sleeping_threads):
    client = await connect(Sleeper)
    assert await get_answer(client, "block") == "block: done"
    assert sleeping_threads == [threading.get_ident()]
    await client.disconnect()


async def test_queue_sleeps_in_one_thread_for_all_connections(sleeping_threads):
    first, second = await connect(Sleeper), await connect(Sleeper)
    assert await get_answer(first, "queue") == "queue: done"
    assert await get_answer(second, "queue") == "queue: done"
    assert sleeping_threads[0] == sleeping_threads[1] != threading.get_ident()
    await first.disconnect()
    await second.disconnect()


async def test_thread_sleeps_in_another_thread_than_queue(sleeping_threads):
    client = await connect(Sleeper)
    assert await get_answer(client, "queue") == "queue: done"
    assert await get_answer(client, "thread") == "thread: done"
    assert len({*sleeping_threads, threading.get_ident()}) == 3
    await client.disconnect()


async def test_sleep_awaits_and_sleeps_in_no_thread(sleeping_threads, monkeypatch):
    async def sleep(seconds):
        assert seconds == 3

    monkeypatch.setattr(consumers, "asyncio", SimpleNamespace(sleep=sleep))
    client = await connect(Sleeper)
    assert await get_answer(client, "sleep") == "sleep: done"
    assert sleeping_threads == []
    await client.disconnect()


@pytest.mark.parametrize("text", ["tick", "blocked"])
async def test_any_other_text_is_answered_without_a_sleep(sleeping_threads, text):
    client = await connect(Sleeper)
    assert await get_answer(client, text) == f"{text}: done"
    assert sleeping_threads == []
    await client.disconnect()


async def test_own_thread_sleeps_in_one_thread_for_each_connection(sleeping_threads):
    first, second = await connect(OwnThread), await connect(OwnThread)
    for client in (first, second, first):
        assert await get_answer(client, "bake") == "done"
    of_first, of_second, of_first_again = sleeping_threads
    assert of_first == of_first_again != of_second
    assert threading.get_ident() not in sleeping_threads
    await first.disconnect()
    await second.disconnect()
