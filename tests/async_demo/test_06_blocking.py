"""Lesson 6, Sleeper and OwnThread: which waits block other connections, and which do not."""

import asyncio

import pytest
from channels.routing import URLRouter

from async_demo.consumers import OwnThread, Sleeper
from async_demo.routing import websocket_urlpatterns
from lessons.core.catalogue import find
from lessons.judge import StrictCommunicator
from lessons.simulator.check_context import CheckContext
from lessons.simulator.controlled_sleep import held_sleep
from lessons.simulator.finding import CheckFailed

PATH = "/ws/async/blocking/"


def new_client(consumer=Sleeper):
    return StrictCommunicator(consumer.as_asgi(), PATH)


def slow(consumer=Sleeper):
    return held_sleep(CheckContext(find("blocking"), consumer))


def frame(text):
    return {"type": "websocket.send", "text": text}


@pytest.mark.parametrize("text", ["tick", "", "blocked"])
async def test_other_texts_are_answered_at_once(text):
    async with slow() as work, new_client() as client:
        assert await client.connect() == (True, None)
        client.expect()
        await client.send_to(text_data=text)
        client.expect(frame(f"{text}: done"))
    assert work.calls == []


async def test_bytes_are_answered_at_once():
    async with new_client() as client:
        await client.connect()
        await client.send_to(bytes_data=b"block")
        client.expect(frame("None: done"))


async def wait_on_the_loop():
    async with slow() as work, new_client() as client:
        await client.connect()
        await client.send_to(text_data="block")
        client.expect(frame("block: done"))
        assert work.calls == [3]


async def test_block_waits_three_seconds_on_the_loop():
    with pytest.raises(CheckFailed) as red:
        await wait_on_the_loop()
    finding = red.value.finding
    assert (finding.diagnosis, finding.handler) == ("blocked-loop", "Sleeper.block")


async def test_queue_blocks_the_other_connection():
    async with new_client() as one, new_client() as two, slow() as work:
        await one.connect()
        await two.connect()
        work.hold()
        await one.send_to(text_data="queue")
        await two.send_to(text_data="tick")
        two.expect(otherwise="claim-not-met")
        assert work.failure().finding.diagnosis == "work-still-queued"
        await work.release()
        assert work.calls == [3]
        one.expect(frame("queue: done"))
        two.expect(frame("tick: done"))


async def test_thread_blocks_no_connection():
    async with new_client() as one, new_client() as two, slow() as work:
        await one.connect()
        await two.connect()
        work.hold()
        await one.send_to(text_data="thread")
        await two.send_to(text_data="tick")
        two.expect(frame("tick: done"))
        await two.send_to(text_data="thread")
        assert work.waiting == 2
        one.expect(otherwise="claim-not-met")
        await work.release()
        assert work.calls == [3, 3]
        one.expect(frame("thread: done"))
        two.expect(frame("thread: done"))


async def test_sleep_waits_three_seconds_and_blocks_no_connection():
    async with slow() as work, new_client() as one, new_client() as two:
        await one.connect()
        await two.connect()
        await one.send_to(text_data="sleep")
        await two.send_to(text_data="tick")
        two.expect(frame("tick: done"))
        assert one.unread == []
        slept = asyncio.get_running_loop().time()
        assert await one.receive_output(timeout=60) == frame("sleep: done")
        assert 2 < asyncio.get_running_loop().time() - slept <= 3
    assert work.calls == []


async def test_own_threads_block_no_connection():
    async with new_client(OwnThread) as one, new_client(OwnThread) as two, slow(OwnThread) as work:
        await one.connect()
        await two.connect()
        work.hold()
        await one.send_to(text_data="bake")
        async with new_client() as other:
            await other.connect()
            await other.send_to(text_data="tick")
            other.expect(frame("tick: done"))
        await two.send_to(text_data="bake")
        assert work.waiting == 2
        await work.release()
        assert work.calls == [3, 3]
        one.expect(frame("done"))
        two.expect(frame("done"))


@pytest.mark.parametrize("consumer", [Sleeper, OwnThread])
@pytest.mark.parametrize("code", [1000, 1001, None])
async def test_stops_when_the_client_leaves(consumer, code):
    async with new_client(consumer) as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished


@pytest.mark.parametrize("path", [PATH, f"{PATH}own-thread/"])
async def test_is_routed_at_its_path(path):
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), path) as client:
        assert await client.connect() == (True, None)
