"""Lesson 15, Primes: it sends a number to a worker, and the client receives the factors."""

from contextlib import suppress

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

from layers_demo.consumers import Primes, PrimesWorker

PATH = "/ws/layers/worker/"


async def connect():
    client = WebsocketCommunicator(Primes.as_asgi(), PATH)
    connected, _ = await client.connect()
    assert connected
    return client


async def hand_in(client, text):
    await client.send_to(text_data=text)
    assert await client.receive_from() == "handed in"


def test_the_job_waits_in_the_channel_and_names_the_channel_for_the_answer():
    async def conversation():
        client = await connect()
        await hand_in(client, "91")
        assert await client.receive_nothing()
        job = await get_channel_layer().receive("primes")
        assert job == {"type": "primes.factor", "text": "91", "answer_to": job["answer_to"]}
        await get_channel_layer().send(job["answer_to"], {"type": "primes.found", "text": "7"})
        assert await client.receive_from() == "7"
        await client.disconnect()

    async_to_sync(conversation)()


def test_one_worker_serves_all_clients_and_each_client_receives_its_own_answer():
    async def conversation():
        first, second = await connect(), await connect()
        worker = ApplicationCommunicator(PrimesWorker.as_asgi(), {"type": "channel"})
        for client, text in ((first, "15"), (second, "7")):
            await hand_in(client, text)
            await worker.send_input(await get_channel_layer().receive("primes"))
        assert await second.receive_from() == "7 = 7"
        assert await first.receive_from() == "15 = 3 * 5"
        assert await first.receive_nothing()
        for client in (first, second):
            await client.disconnect()

    async_to_sync(conversation)()


def test_an_exception_ends_the_worker_and_loses_the_waiting_job():
    async def conversation():
        client = await connect()
        worker = ApplicationCommunicator(PrimesWorker.as_asgi(), {"type": "channel"})
        await hand_in(client, "91")
        await worker.send_input({"type": "primes.factor"})  # without "text"
        await worker.send_input(await get_channel_layer().receive("primes"))
        with pytest.raises(KeyError):
            await worker.wait()
        assert await client.receive_nothing()
        await client.disconnect()

    async_to_sync(conversation)()


def test_reports_that_no_worker_takes_the_jobs():
    async def conversation():
        client = await connect()
        with suppress(ChannelFull):
            while True:
                await get_channel_layer().send("primes", {"type": "primes.factor"})
        await client.send_to(text_data="91")
        assert await client.receive_from() == "no worker: try again later"
        await client.disconnect()
        await get_channel_layer().flush()  # the next test needs an empty channel

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator passes even if the consumer never stops or a frame is left unread. These
# workers take their jobs from the channel by themselves, as runworker does.

from channels.routing import URLRouter

from layers_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator
from lessons.simulator.worker import Workers

HANDED_IN = {"type": "websocket.send", "text": "handed in"}


@pytest.fixture
async def worker():
    """Workers. At the end, none of them may have logged an exception."""
    workers = Workers(Primes)
    yield workers
    workers.judge()
    await workers.kill()


def new_client():
    return StrictCommunicator(Primes.as_asgi(), PATH)


async def enter(client):
    assert await client.connect() == (True, None)
    client.expect()


async def ask(client, text):
    await client.send_to(text_data=text)
    assert client.unread.pop(0) == HANDED_IN


def answer(text):
    return {"type": "websocket.send", "text": text}


@pytest.mark.parametrize(
    ("text", "factors"),
    [
        ("2", "2"),
        ("91", "7 * 13"),
        ("97", "97"),
        ("360", "2 * 2 * 2 * 3 * 3 * 5"),
        ("999999999999", "3 * 3 * 3 * 7 * 11 * 13 * 37 * 101 * 9901"),
    ],
)
async def test_the_worker_answers_with_the_factors(worker, text, factors):
    await worker.start("primes")
    async with new_client() as client:
        await enter(client)
        await ask(client, text)
        client.expect(answer(f"{text} = {factors}"))


@pytest.mark.parametrize("text", ["", "hello", "1", "-7", "7.5", "1000000000000"])
async def test_an_invalid_number_is_answered_too(worker, text):
    await worker.start("primes")
    async with new_client() as client:
        await enter(client)
        await ask(client, text)
        client.expect(answer(f"{text}: not a number from 2 to 999999999999"))
        await ask(client, "91")
        client.expect(answer("91 = 7 * 13"))


async def test_a_binary_frame_counts_as_empty_text(worker):
    await worker.start("primes")
    async with new_client() as client:
        await enter(client)
        await client.send_to(bytes_data=b"91")
        client.expect(HANDED_IN, answer(": not a number from 2 to 999999999999"))


async def test_jobs_wait_for_a_worker_and_a_failing_job_loses_no_other(worker):
    async with new_client() as client:
        await enter(client)
        for text in ("4", "hello", "6"):
            await ask(client, text)
            client.expect()
        await worker.start("primes")
        await client.receive_nothing()
        texts = [frame["text"] for frame in client.unread]
        assert texts == ["4 = 2 * 2", "hello: not a number from 2 to 999999999999", "6 = 2 * 3"]


async def test_hands_in_again_when_the_channel_has_room(worker):
    async with new_client() as client:
        await enter(client)
        with suppress(ChannelFull):
            while True:
                await get_channel_layer().send("primes", {"type": "primes.factor"})
        await client.send_to(text_data="91")
        client.expect(answer("no worker: try again later"))
        while await worker.take_job("primes"):
            pass
        await worker.start("primes")
        await ask(client, "91")
        client.expect(answer("91 = 7 * 13"))


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006])
async def test_stops_when_the_client_leaves(code):
    async with new_client() as client:
        await enter(client)
        await client.disconnect(code)
        assert client.finished


async def test_is_routed_at_its_path(worker):
    await worker.start("primes")
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        await enter(client)
        await ask(client, "91")
        client.expect(answer("91 = 7 * 13"))
