"""Lesson 15, Primes: it sends a number to a worker, and the client receives the factors."""

from contextlib import suppress

import pytest
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from channels.routing import URLRouter

from layers_demo.consumers import Primes
from layers_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator
from lessons.simulator.worker import Workers

PATH = "/ws/layers/worker/"
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


async def test_the_job_names_its_type_and_the_channel_for_the_answer():
    async with new_client() as client:
        await enter(client)
        await ask(client, "91")
        sent = client.transcript[-2].message
    job = {"type": "primes.factor", "text": "91", "answer_to": "specific.check!1"}
    assert sent == {"type": "send", "channel": "primes", "message": job}


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


async def test_each_client_gets_only_its_own_answers(worker):
    async with new_client() as first, new_client() as second, new_client() as absent:
        for client, text in ((first, "4"), (absent, "5"), (second, "6")):
            await enter(client)
            await ask(client, text)
        await absent.disconnect(1001)
        await worker.start("primes")
        await first.receive_nothing()
        first.expect(answer("4 = 2 * 2"))
        second.expect(answer("6 = 2 * 3"))
        await ask(first, "9")
        second.expect()
        first.expect(answer("9 = 3 * 3"))


async def test_reports_that_no_worker_takes_the_jobs(worker):
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
