"""Lesson 15: Primes sends each number to a worker, and all clients receive the factors."""

import pytest
from channels.layers import get_channel_layer
from channels.testing import ApplicationCommunicator, WebsocketCommunicator

from layers_demo.asgi import application
from layers_demo.consumers import prime_factors


async def connect():
    client = WebsocketCommunicator(application, "/ws/layers/worker/")
    assert await client.connect() == (True, None)
    return client


def new_worker():
    scope = {"type": "channel", "channel": "primes"}
    return ApplicationCommunicator(application, scope)


async def next_job():
    return await get_channel_layer().receive("primes")


async def test_the_job_waits_in_the_channel_and_the_answer_is_a_message_to_the_group():
    client = await connect()
    await client.send_to(text_data="91")
    assert await client.receive_nothing(timeout=0.02)
    assert await next_job() == {"type": "primes.factor", "number": 91}
    answer = {"type": "primes.found", "number": 91, "factors": [7, 13]}
    await get_channel_layer().group_send("factors", answer)
    assert await client.receive_output() == {"type": "websocket.send", "text": "91 = 7 * 13"}
    await client.disconnect()


async def test_jobs_wait_for_a_worker_in_their_order():
    client = await connect()
    await client.send_to(text_data="15")
    await client.send_to(text_data="7")
    assert await client.receive_nothing(timeout=0.02)
    worker = new_worker()
    await worker.send_input(await next_job())
    await worker.send_input(await next_job())
    assert await client.receive_from() == "15 = 3 * 5"
    assert await client.receive_from() == "7 = 7"
    await client.disconnect()


async def test_all_clients_receive_the_answer():
    asks, listens = await connect(), await connect()
    await asks.send_to(text_data="15")
    worker = new_worker()
    await worker.send_input(await next_job())
    for client in (asks, listens):
        assert await client.receive_from() == "15 = 3 * 5"
        await client.disconnect()
    assert "factors" not in get_channel_layer().groups


def test_the_worker_finds_the_prime_factors():
    assert prime_factors(1) == [1]
    assert prime_factors(97) == [97]
    assert prime_factors(360) == [2, 2, 2, 3, 3, 5]
    assert prime_factors(999999999999) == [3, 3, 3, 7, 11, 13, 37, 101, 9901]


@pytest.mark.parametrize("text", ["", "hello", "0", "-7", "7.5", "1000000000000", "٣", "7\n", None])
async def test_an_invalid_number_is_refused_and_makes_no_job(text):
    client, other = await connect(), await connect()
    await client.send_input({"type": "websocket.receive", "text": text, "bytes": b"91"})
    assert await client.receive_from() == "Send a number from 1 to 999999999999."
    await client.send_to(text_data="91")
    assert await next_job() == {"type": "primes.factor", "number": 91}
    await client.disconnect()
    await other.disconnect()
    assert other.output_queue.empty()


async def test_an_exception_ends_the_worker_and_loses_the_waiting_job():
    client = await connect()
    worker = new_worker()
    await client.send_to(text_data="91")
    await worker.send_input({"type": "primes.factor"})  # without "number"
    await worker.send_input(await next_job())
    with pytest.raises(KeyError):
        await worker.wait()
    assert await client.receive_nothing(timeout=0.02)
    await client.disconnect()


async def test_reports_a_full_channel_and_takes_the_number_when_a_job_was_done():
    client = await connect()
    for _ in range(100):  # the capacity of a channel
        await get_channel_layer().send("primes", {"type": "primes.factor"})
    await client.send_to(text_data="91")
    assert await client.receive_from() == "No worker takes jobs. Try again later."
    await next_job()
    await client.send_to(text_data="91")
    assert await client.receive_nothing(timeout=0.02)  # the job waits in the channel
    await client.disconnect()
    await get_channel_layer().flush()  # the next test needs an empty channel
