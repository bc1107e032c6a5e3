"""Lesson 15, Primes: it sends numbers to a worker, and all clients receive the factors."""

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


async def next_job():
    return await get_channel_layer().receive("primes")


def test_the_job_waits_in_the_channel_and_the_answer_is_a_message_to_the_group():
    async def conversation():
        client = await connect()
        await client.send_to(text_data="91")
        assert await client.receive_nothing()
        assert await next_job() == {"type": "primes.factor", "number": 91}
        answer = {"type": "primes.found", "number": 91, "factors": [7, 13]}
        await get_channel_layer().group_send("factors", answer)
        assert await client.receive_from() == "91 = 7 * 13"
        await client.disconnect()

    async_to_sync(conversation)()


def test_one_worker_does_the_jobs_of_all_clients_and_all_receive_each_answer():
    async def conversation():
        first, second = await connect(), await connect()
        worker = ApplicationCommunicator(PrimesWorker.as_asgi(), {"type": "channel"})
        for client, text in ((first, "15"), (second, "7")):
            await client.send_to(text_data=text)
            await worker.send_input(await next_job())
        for client in (first, second):
            assert await client.receive_from() == "15 = 3 * 5"
            assert await client.receive_from() == "7 = 7"
            await client.disconnect()

    async_to_sync(conversation)()


def test_an_exception_ends_the_worker_and_loses_the_waiting_job():
    async def conversation():
        client = await connect()
        worker = ApplicationCommunicator(PrimesWorker.as_asgi(), {"type": "channel"})
        await client.send_to(text_data="91")
        await worker.send_input({"type": "primes.factor"})  # without "number"
        await worker.send_input(await next_job())
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
        assert await client.receive_from() == "No worker takes jobs. Try again later."
        await client.disconnect()
        await get_channel_layer().flush()  # the next test needs an empty channel

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator passes even if the consumer never stops or a frame is left unread. These
# workers take their jobs from the channel by themselves, as runworker does.

from channels.routing import URLRouter

from layers_demo.routing import websocket_urlpatterns
from lessons.workshop.engine.world.worker import Workers
from lessons.workshop.judge import StrictCommunicator


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


def answer(text):
    return {"type": "websocket.send", "text": text}


INVALID = answer("Send a number from 1 to 999999999999.")


@pytest.mark.parametrize(
    ("text", "factors"),
    [
        ("1", "1"),
        ("2", "2"),
        ("91", "7 * 13"),
        ("97", "97"),
        ("360", "2 * 2 * 2 * 3 * 3 * 5"),
        ("999999999999", "3 * 3 * 3 * 7 * 11 * 13 * 37 * 101 * 9901"),
    ],
)
async def test_the_worker_finds_the_factors(worker, text, factors):
    await worker.start("primes")
    async with new_client() as client:
        await enter(client)
        await client.send_to(text_data=text)
        client.expect(answer(f"{text} = {factors}"))


@pytest.mark.parametrize(
    "frame",
    [
        *(
            {"text_data": text}
            for text in ("", "hello", "0", "-7", "7.5", "1000000000000", "٣", "7\n")
        ),
        {"bytes_data": b"91"},
    ],
)
async def test_an_invalid_number_is_refused_and_makes_no_job(worker, frame):
    async with new_client() as client, new_client() as other:
        await enter(client)
        await enter(other)
        await client.send_to(**frame)
        client.expect(INVALID)
        other.expect()
        assert await worker.take_job("primes") is None


async def test_jobs_wait_for_a_worker_in_their_order(worker):
    async with new_client() as client, new_client() as other:
        await enter(client)
        await enter(other)
        for text in ("4", "6"):
            await client.send_to(text_data=text)
            client.expect()
        await worker.start("primes")
        for each in (client, other):
            await each.receive_nothing()
            each.expect(answer("4 = 2 * 2"), answer("6 = 2 * 3"))


async def test_a_client_may_send_its_number_again_when_the_channel_has_room(worker):
    async with new_client() as client, new_client() as other:
        await enter(client)
        await enter(other)
        with suppress(ChannelFull):
            while True:
                await get_channel_layer().send("primes", {"type": "primes.factor"})
        await client.send_to(text_data="91")
        client.expect(answer("No worker takes jobs. Try again later."))
        other.expect()
        while await worker.take_job("primes"):
            pass
        await worker.start("primes")
        await client.send_to(text_data="91")
        client.expect(answer("91 = 7 * 13"))


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_leaves_the_group_however_the_connection_ends(layer, end):
    async with new_client() as client:
        await enter(client)
        await getattr(client, end)()
        assert not layer.groups


async def test_joins_before_it_accepts():
    async with new_client() as client:
        await client.connect()
        order = [event.message["type"] for event in client.transcript]
        assert order.index("group_add") < order.index("websocket.accept")


async def test_survives_a_cancel_before_its_first_event(layer):
    async with new_client() as client:
        await client.kill()
    assert not layer.groups


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
        await client.send_to(text_data="91")
        client.expect(answer("91 = 7 * 13"))
