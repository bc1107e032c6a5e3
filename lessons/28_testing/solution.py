"""Lesson 28, solved: a suite of tests for a suggestion box."""

import json

from channels.testing import HttpCommunicator, WebsocketCommunicator

from db_demo.models import Entry


async def texts():
    return [entry.text async for entry in Entry.objects.order_by("id")]


async def enter(application):
    client = WebsocketCommunicator(application, "/box/")
    assert await client.connect() == (True, None)
    return client


async def leave(*clients):
    for client in clients:
        await client.disconnect()
        # disconnect() cancels a consumer that does not stop, and raises no error.
        assert not client.future.cancelled()


async def request(application, method):
    # get_response() waits for the end of the response, or raises TimeoutError.
    response = await HttpCommunicator(application, method, "/box/").get_response()
    assert (b"content-type", b"application/json") in response["headers"]
    return response["status"], json.loads(response["body"])


class TestBox:
    async def test_saves_each_suggestion_and_sends_it_to_all(self, application):
        sender, other = await enter(application), await enter(application)
        # The shortest and the longest text, and one that a box might change.
        for text in ("x", " More Light ", "x" * 100):
            await sender.send_to(text_data=text)
            frames = [await client.receive_json_from() for client in (sender, other)]
            row = await Entry.objects.order_by("id").alast()
            assert row.text == text
            assert frames == [{"id": row.id, "text": text}] * 2
        assert await texts() == ["x", " More Light ", "x" * 100]
        for client in (sender, other):
            assert await client.receive_nothing()
        await leave(sender, other)

    async def test_refuses_other_frames_and_stays_open(self, application):
        sender, other = await enter(application), await enter(application)
        for frame in ({"text": ""}, {"text": "x" * 101}, {"bytes": b"light"}):
            await sender.send_input({"type": "websocket.receive", **frame})
            assert await sender.receive_json_from() == {"error": "invalid"}
            assert await sender.receive_nothing()
            assert await texts() == []
        assert await other.receive_nothing()
        # It is still open.
        await sender.send_to(text_data="light")
        assert (await sender.receive_json_from())["text"] == "light"
        assert await request(application, "GET") == (200, {"entries": 1})
        await leave(sender, other)

    async def test_counts_the_entries(self, application):
        client = await enter(application)
        for count in range(4):
            assert await request(application, "GET") == (200, {"entries": count})
            await client.send_to(text_data=f"suggestion {count}")
            await client.receive_from()
        await leave(client)

    async def test_refuses_a_post(self, application):
        status, _ = await request(application, "POST")
        assert status == 405
        assert await texts() == []
