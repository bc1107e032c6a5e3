"""Lesson 8: Heartbeat streams until its client leaves. RawLength counts the bytes of a body."""

from asgiref.sync import async_to_sync
from channels.testing import ApplicationCommunicator, HttpCommunicator

from async_demo.consumers import Heartbeat
from async_demo.generic_http import RawLength


def test_answers_a_post_with_the_size_of_its_body():
    async def conversation():
        client = HttpCommunicator(RawLength.as_asgi(), "POST", "/async/http/length/", body=b"hello")
        response = await client.get_response()
        assert (response["status"], response["body"]) == (200, b"5 bytes\n")

    async_to_sync(conversation)()


def test_answers_once_after_the_last_piece_of_the_body():
    async def conversation():
        client = ApplicationCommunicator(RawLength.as_asgi(), {"type": "http", "method": "POST"})
        await client.send_input({"type": "http.request", "body": b"he", "more_body": True})
        assert await client.receive_nothing()
        await client.send_input({"type": "http.request", "body": b"llo"})
        assert (await client.receive_output())["type"] == "http.response.start"
        assert (await client.receive_output())["body"] == b"5 bytes\n"
        await client.send_input({"type": "http.disconnect"})
        await client.wait()

    async_to_sync(conversation)()


def test_the_stream_ends_when_its_client_leaves():
    async def conversation():
        client = ApplicationCommunicator(Heartbeat.as_asgi(), {"type": "http", "method": "GET"})
        await client.send_input({"type": "http.request"})
        assert (await client.receive_output())["type"] == "http.response.start"
        beat = await client.receive_output()
        assert (beat["body"], beat["more_body"]) == (b"data: beat 1\n\n", True)
        await client.send_input({"type": "http.disconnect"})
        await client.wait()
        assert await client.receive_nothing(timeout=1.2)

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock HttpCommunicator sends the body in one piece and never sends http.disconnect. The strict
# communicator sends both, refuses what Daphne refuses, and simulates the clock.

import asyncio

import pytest
from channels.routing import URLRouter

from async_demo.routing import http_urlpatterns
from lessons.workshop.judge import StrictHttpCommunicator

PATH = "/async/http/"


def new_client():
    return StrictHttpCommunicator(Heartbeat.as_asgi(), "GET", PATH)


def new_post(body=b"", consumer=RawLength):
    return StrictHttpCommunicator(consumer.as_asgi(), "POST", PATH, body)


def started(content_type):
    headers = [(b"content-type", content_type)]
    return {"type": "http.response.start", "status": 200, "headers": headers}


def part(body, more=True):
    return {"type": "http.response.body", "body": body, "more_body": more}


@pytest.mark.parametrize("body", [b"hello", [b"he", b"llo"], [b"", b"hello", b""]])
async def test_answers_once_after_the_last_part_of_the_body(body):
    async with new_post(body) as client:
        await client.send_request()
        client.expect(started(b"text/plain"), part(b"5 bytes\n", more=False))
        assert client.finished


async def test_a_server_may_omit_empty_keys():
    async with new_post() as client:
        await client.send_input({"type": "http.request"})
        client.expect(started(b"text/plain"), part(b"0 bytes\n", more=False))


async def test_sends_a_beat_at_once_and_then_every_second():
    async with new_client() as client:
        await client.send_request()
        client.expect(started(b"text/event-stream"), part(b"data: beat 1\n\n"))
        for number in (2, 3):
            assert await client.receive_nothing(timeout=0.8)
            await asyncio.sleep(0.2)
            beat = f"data: beat {number}\n\n".encode()
            client.expect(part(beat))


async def test_the_beat_ends_when_its_client_leaves():
    async with new_client() as client:
        await client.send_request()
        await asyncio.sleep(1.5)
        await client.disconnect()
        assert client.finished
        count = len(client.transcript)
        await asyncio.sleep(5)
        assert len(client.transcript) == count


@pytest.mark.parametrize("end", ["crash", "kill"])
async def test_the_beat_ends_with_its_consumer_however_that_ends(end):
    async with new_client() as client:
        await client.send_request()
        await getattr(client, end)()
        assert client.finished


async def test_waits_until_its_beat_has_ended():
    ended = []

    class Slow(Heartbeat):
        async def beat(self):
            try:
                await super().beat()
            finally:
                await asyncio.sleep(1)
                ended.append(self)

    async with StrictHttpCommunicator(Slow.as_asgi(), "GET", PATH) as client:
        await client.send_request()
        await client.kill()
        assert len(ended) == 1


@pytest.mark.parametrize("consumer", [Heartbeat, RawLength])
async def test_a_client_may_disconnect_during_its_request(consumer):
    async with new_post(consumer=consumer) as client:
        await client.send_input({"type": "http.request", "body": b"a", "more_body": True})
        client.expect()
        await client.disconnect()
        assert client.finished


async def test_the_stream_begins_after_the_last_piece_of_a_body():
    async with new_post(consumer=Heartbeat) as client:
        await client.send_input({"type": "http.request", "body": b"a", "more_body": True})
        client.expect()
        await client.send_input({"type": "http.request", "body": b"b"})
        client.expect(started(b"text/event-stream"), part(b"data: beat 1\n\n"))


async def test_a_body_of_the_limit_is_counted_and_one_byte_more_gets_413():
    async with new_post([b"a" * 500_000] * 2) as client:
        response = await client.get_response()
        assert (response["status"], response["body"]) == (200, b"1000000 bytes\n")
    async with new_post([b"a" * 500_000] * 2 + [b"a"]) as client:
        response = await client.get_response()
        assert (response["status"], response["body"]) == (413, b"too long\n")


def test_adding_to_bytes_copies_all_of_them():
    class Body:
        pieces = b"a" * 8192

    before = Body.pieces
    Body.pieces += b"b" * 8192
    assert Body.pieces is not before
    assert len(before) == 8192


async def test_reads_no_piece_after_a_413():
    async with new_post([b"a" * 600_000] * 5) as client:
        await client.send_request()
        assert client.finished
        assert client.input_queue.qsize() == 3


async def test_each_request_has_its_own_body():
    async with new_post([b"a", b"b"]) as first, new_post(b"c") as second:
        assert (await first.get_response())["body"] == b"2 bytes\n"
        assert (await second.get_response())["body"] == b"1 bytes\n"


async def test_each_request_has_its_own_beat():
    async with new_client() as stays, new_client() as leaves:
        await stays.send_request()
        await leaves.send_request()
        await leaves.disconnect()
        await stays.read_so_far()
        await asyncio.sleep(1.1)
        assert await stays.read_so_far() == b"data: beat 2\n\n"


async def test_both_are_routed_at_their_paths():
    router = URLRouter(http_urlpatterns)
    async with StrictHttpCommunicator(router, "GET", PATH) as client:
        await client.send_request()
        client.expect(started(b"text/event-stream"), part(b"data: beat 1\n\n"))
    async with StrictHttpCommunicator(router, "POST", f"{PATH}length/", b"abc") as client:
        assert (await client.get_response())["body"] == b"3 bytes\n"
