"""Lesson 27, Adder: the limits of one connection."""

from contextlib import contextmanager
from types import SimpleNamespace
from unittest import mock

from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator

from auth_demo.consumers import Adder
from auth_demo.token_bucket import TokenBucket

PATH = "/ws/auth/limits/"
FAST = {"error": "too fast", "retry_after": 2}
TOO_LONG = "1" * 201


@contextmanager
def stopped_clock():
    """Within it, new buckets read a clock that shows `clock.now`."""
    clock = SimpleNamespace(now=5.0)
    loop = SimpleNamespace(time=lambda: clock.now)
    asyncio = SimpleNamespace(get_running_loop=lambda: loop)
    with mock.patch("auth_demo.token_bucket.asyncio", asyncio):
        yield clock


def conversation(*frames):
    """What the consumer sends in answer to these frames, which come at the same moment."""

    async def play():
        client = WebsocketCommunicator(Adder.as_asgi(), PATH)
        await client.connect()
        answers = []
        for frame in frames:
            await client.send_to(text_data=frame)
            answers.append(await client.receive_output())
        await client.disconnect()
        return answers

    with stopped_clock():
        return async_to_sync(play)()


def test_adds_three_times_at_once_and_then_says_when_to_try_again():
    answers = conversation("1 2 3", "4", "5 5", "6")
    assert [answer["text"] for answer in answers] == [
        '{"sum": 6}',
        '{"sum": 4}',
        '{"sum": 10}',
        '{"error": "too fast", "retry_after": 2}',
    ]


def test_closes_with_4413_for_a_frame_that_is_too_long():
    assert conversation(TOO_LONG) == [{"type": "websocket.close", "code": 4413}]


def test_closes_with_4429_at_the_fifth_refused_frame_in_a_row():
    last = conversation(*["1"] * 8)[-1]
    assert last == {"type": "websocket.close", "code": 4429}


def test_a_bucket_that_got_no_request_for_long_is_full_and_not_more():
    with stopped_clock() as clock:
        bucket = TokenBucket(size=2, seconds=10)
        clock.now += 1000
        assert [bucket.take() for _ in range(3)] == [0, 0, 10]


# ── What only the strict communicator sees ──
# The stock communicator has no clock to move on. It also does not notice an answer after a close.

import json

import pytest
from channels.routing import URLRouter

from auth_demo.routing import websocket_urlpatterns
from lessons.workshop.judge import StrictCommunicator


@pytest.fixture
async def client():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as one:
        assert await one.connect() == (True, None)
        one.expect()
        yield one


def answered(answer):
    return {"type": "websocket.send", "text": json.dumps(answer)}


def closed(code):
    return {"type": "websocket.close", "code": code}


async def send(client, *answers, text="1"):
    """Send `text` once for each of these answers, and expect them."""
    for answer in answers:
        await client.send_to(text_data=text)
        client.expect(answer if "type" in answer else answered(answer))


SUM = {"sum": 1}


async def test_a_new_token_comes_after_two_seconds(client):
    await send(client, SUM, SUM, SUM, FAST)
    assert await client.receive_nothing(timeout=1.5)
    await send(client, FAST | {"retry_after": 1})
    assert await client.receive_nothing(timeout=0.5)
    await send(client, SUM, FAST)


async def test_a_client_that_waits_as_long_as_the_answer_says_is_served(client):
    await send(client, SUM, SUM)
    assert await client.receive_nothing(timeout=0.3)
    await send(client, SUM, FAST)
    assert await client.receive_nothing(timeout=2)
    await send(client, SUM)


async def test_a_quiet_client_saves_three_tokens_and_not_more(client):
    assert await client.receive_nothing(timeout=3600)
    await send(client, SUM, SUM, SUM, FAST)


async def test_half_a_token_is_kept(client):
    await send(client, SUM, SUM, SUM)
    for answer in (FAST | {"retry_after": 1}, SUM, FAST | {"retry_after": 1}, SUM):
        assert await client.receive_nothing(timeout=1)
        await send(client, answer)


async def test_a_served_frame_ends_the_row_of_refused_ones(client):
    await send(client, SUM, SUM, SUM, *[FAST] * 4)
    assert await client.receive_nothing(timeout=2)
    await send(client, SUM, *[FAST] * 4, closed(4429))
    assert client.finished


async def test_a_frame_that_holds_no_numbers_uses_a_token(client):
    await send(client, *[{"error": "not numbers"}] * 3, FAST, text="one 2")


async def test_a_frame_of_the_greatest_length_is_added(client):
    await send(client, {"sum": 0}, text="0 " * 100)
    await send(client, closed(4413), text="0 " * 100 + "0")


async def test_a_long_frame_ends_a_connection_that_is_too_fast_too(client):
    await send(client, SUM, SUM, SUM, FAST)
    await send(client, closed(4413), text=TOO_LONG)


async def test_a_binary_frame_has_the_same_limits(client):
    await client.send_to(bytes_data=b"2 3")
    client.expect(answered({"sum": 5}))
    await client.send_to(bytes_data=b"\xff")
    client.expect(answered({"error": "not numbers"}))
    await client.send_to(bytes_data=b"1" * 201)
    client.expect(closed(4413))


async def test_an_empty_frame_has_the_sum_0(client):
    await send(client, {"sum": 0}, text="")
    await client.send_to(bytes_data=b"")
    client.expect(answered({"sum": 0}))


@pytest.mark.parametrize("number", ["1" * 200, "-1"])
async def test_adds_long_and_negative_numbers(client, number):
    await send(client, {"sum": int(number)}, text=number)


async def test_answers_no_frame_that_waits_behind_the_close(client):
    for text in (TOO_LONG, "1", "2"):
        client.deliver({"type": "websocket.receive", "text": text})
    await client.settle()
    client.expect(closed(4413))
    assert client.finished


async def test_each_connection_has_its_own_bucket(client):
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as other:
        await other.connect()
        other.expect()
        await send(client, SUM, SUM, SUM, FAST)
        await send(other, SUM, SUM, SUM, FAST)


async def test_stops_when_the_client_leaves(client):
    await client.disconnect(1001)
    assert client.finished
