"""Lesson 8: RawLength answers a request with the size of its body, and Heartbeat with a stream.

Both answer after the last piece of the body. The stream ends when its client leaves.
"""

import asyncio

import pytest
from channels.testing import ApplicationCommunicator, HttpCommunicator

from async_demo.asgi import application
from async_demo.consumers import Heartbeat
from async_demo.generic_http import RawLength

HTTP = {"type": "http", "method": "POST"}
PIECE = {"type": "http.request", "body": b"he", "more_body": True}
LAST_PIECE = {"type": "http.request", "body": b"llo"}
BEAT = {"type": "http.response.body", "body": b"data: beat 1\n\n", "more_body": True}


def started(content_type):
    headers = [(b"content-type", content_type)]
    return {"type": "http.response.start", "status": 200, "headers": headers}


async def test_answers_a_post_with_the_size_of_its_body():
    path = "/async/http/length/"
    client = HttpCommunicator(application, "POST", path, body=b"hello")
    response = await client.get_response()
    assert (response["status"], response["body"]) == (200, b"5 bytes\n")


async def test_answers_once_after_the_last_piece_of_the_body():
    client = ApplicationCommunicator(RawLength.as_asgi(), HTTP)
    await client.send_input(PIECE)
    assert await client.receive_nothing(timeout=0.03)
    await client.send_input(LAST_PIECE)
    assert await client.receive_output() == started(b"text/plain")
    body = {"type": "http.response.body", "body": b"5 bytes\n", "more_body": False}
    assert await client.receive_output() == body
    await client.send_input({"type": "http.disconnect"})
    await client.wait()
    assert not client.future.cancelled()


async def test_a_server_may_leave_the_keys_of_an_empty_body_out():
    client = ApplicationCommunicator(RawLength.as_asgi(), HTTP)
    await client.send_input({"type": "http.request"})
    assert await client.receive_output() == started(b"text/plain")
    assert (await client.receive_output())["body"] == b"0 bytes\n"


@pytest.mark.parametrize(
    ("length", "status", "text"),
    [(1_000_000, 200, b"1000000 bytes\n"), (1_000_001, 413, b"too long\n")],
)
async def test_a_body_of_the_limit_is_counted_and_one_byte_more_gets_413(length, status, text):
    client = HttpCommunicator(RawLength.as_asgi(), "POST", "/", body=b"a" * length)
    response = await client.get_response()
    assert (response["status"], response["body"]) == (status, text)


async def test_reads_no_further_piece_of_a_longer_body():
    client = ApplicationCommunicator(RawLength.as_asgi(), HTTP)
    for _ in range(3):
        await client.send_input({**PIECE, "body": b"a" * 600_000})
    assert (await client.receive_output())["status"] == 413
    await client.wait()
    assert client.input_queue.qsize() == 1  # the third piece


async def test_the_stream_begins_at_once_after_the_last_piece_of_the_body():
    client = ApplicationCommunicator(Heartbeat.as_asgi(), HTTP)
    await client.send_input(PIECE)
    assert await client.receive_nothing(timeout=0.03)
    await client.send_input(LAST_PIECE)
    assert await client.receive_output() == started(b"text/event-stream")
    assert await client.receive_output() == BEAT
    assert await client.receive_nothing(timeout=0.03)  # the second beat comes after a second
    await client.send_input({"type": "http.disconnect"})
    await client.wait()


@pytest.mark.parametrize("request_event", [PIECE, LAST_PIECE])
async def test_the_beat_ends_when_its_client_leaves(request_event):
    client = ApplicationCommunicator(Heartbeat.as_asgi(), HTTP)
    await client.send_input(request_event)
    await client.receive_nothing(timeout=0.03)
    await client.send_input({"type": "http.disconnect"})
    await client.wait()
    assert not client.future.cancelled()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_waits_until_the_beat_has_ended():
    class Slow(Heartbeat):
        async def beat(self):
            try:
                await super().beat()
            finally:
                await asyncio.sleep(0.01)

    client = ApplicationCommunicator(Slow.as_asgi(), HTTP)
    await client.send_input(LAST_PIECE)
    assert await client.receive_output() == started(b"text/event-stream")
    await client.send_input({"type": "http.disconnect"})
    await client.wait()
    assert asyncio.all_tasks() == {asyncio.current_task()}
