"""Lesson 27, Adder: a client may send three frames at once, and then one every two seconds.

A frame that is too long closes the connection with 4413, and too many refused frames with 4429.
"""

from types import SimpleNamespace

import pytest
from channels.testing import WebsocketCommunicator

from auth_demo import token_bucket
from auth_demo.consumers import Adder
from auth_demo.token_bucket import TokenBucket

SUM, TOO_FAST = {"sum": 1}, {"error": "too fast", "retry_after": 2}
TOO_LONG = "1" * 201


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The clock of all buckets. Only a test moves it on."""
    clock = SimpleNamespace(now=5.0)
    loop = SimpleNamespace(time=lambda: clock.now)
    monkeypatch.setattr(token_bucket, "asyncio", SimpleNamespace(get_running_loop=lambda: loop))
    return clock


@pytest.fixture
async def client():
    client = WebsocketCommunicator(Adder.as_asgi(), "/ws/auth/limits/")
    await client.connect()
    yield client
    await client.disconnect()


async def answer_to(client, frame="1"):
    await client.send_to(frame)
    return await client.receive_json_from()


async def close_code_after(client, frame):
    await client.send_to(frame)
    return (await client.receive_output())["code"]


async def test_adds_three_times_at_once_and_then_says_when_to_try_again(client):
    frames = ["1 2 3", "4", "-5 5", "6"]
    answers = [await answer_to(client, frame) for frame in frames]
    assert answers == [{"sum": 6}, {"sum": 4}, {"sum": 0}, TOO_FAST]


async def test_a_new_token_comes_after_two_seconds(client, clock):
    assert [await answer_to(client) for _ in range(4)] == [SUM, SUM, SUM, TOO_FAST]
    clock.now += 1.5
    assert await answer_to(client) == TOO_FAST | {"retry_after": 1}
    clock.now += 0.5
    assert await answer_to(client) == SUM
    assert await answer_to(client) == TOO_FAST


def test_a_bucket_that_got_no_request_for_long_is_full_and_not_more(clock):
    bucket = TokenBucket(size=2, seconds=10)
    clock.now += 1000
    assert [bucket.take() for _ in range(3)] == [0, 0, 10]


async def test_each_connection_has_its_own_bucket(client):
    other = WebsocketCommunicator(Adder.as_asgi(), "/ws/auth/limits/")
    await other.connect()
    for each in (client, other):
        assert [await answer_to(each) for _ in range(4)] == [SUM, SUM, SUM, TOO_FAST]
    await other.disconnect()


async def test_a_frame_that_holds_no_numbers_uses_a_token(client):
    answers = [await answer_to(client, "one 2") for _ in range(4)]
    assert answers == [{"error": "not numbers"}] * 3 + [TOO_FAST]


async def test_closes_with_4413_for_a_frame_that_is_too_long(client):
    assert await answer_to(client, "0 " * 100) == {"sum": 0}
    assert [await answer_to(client) for _ in range(3)] == [SUM, SUM, TOO_FAST]
    assert await close_code_after(client, TOO_LONG) == 4413


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ({"bytes": b"2 3"}, {"sum": 5}),
        ({"bytes": b"\xff"}, {"error": "not numbers"}),
        ({"text": ""}, {"sum": 0}),
    ],
)
async def test_a_binary_and_an_empty_frame_get_an_answer(client, frame, answer):
    await client.send_input({"type": "websocket.receive", **frame})
    assert await client.receive_json_from() == answer


async def test_a_binary_frame_has_the_same_limit(client):
    await client.send_to(bytes_data=b"1" * 201)
    assert await client.receive_output() == {"type": "websocket.close", "code": 4413}


async def test_closes_with_4429_at_the_fifth_refused_frame_in_a_row(client):
    assert [await answer_to(client) for _ in range(7)] == [SUM] * 3 + [TOO_FAST] * 4
    assert await close_code_after(client, "1") == 4429


async def test_a_served_frame_ends_the_row_of_refused_ones(client, clock):
    assert [await answer_to(client) for _ in range(7)] == [SUM] * 3 + [TOO_FAST] * 4
    clock.now += 2
    assert [await answer_to(client) for _ in range(5)] == [SUM] + [TOO_FAST] * 4


async def test_answers_no_frame_that_waits_behind_the_close(client):
    for frame in (TOO_LONG, "1", "2"):
        await client.send_to(frame)
    await client.wait()
    assert await client.receive_output() == {"type": "websocket.close", "code": 4413}
    assert await client.receive_nothing(timeout=0)
