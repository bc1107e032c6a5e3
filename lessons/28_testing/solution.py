"""Lesson 28, solved: a suite of tests for a suggestion box."""

import json

from channels.testing import HttpCommunicator, WebsocketCommunicator

from db_demo.models import Entry

TEXTS = ["x", " More Light ", "x" * 100]
OTHER_FRAMES = [{"text": ""}, {"text": "x" * 101}, {"bytes": b"light"}]


async def saved_texts():
    return [entry.text async for entry in Entry.objects.order_by("id")]


async def ask(application):
    """Return the status and the JSON value of a response."""
    # get_response() waits for the end of the response, or raises TimeoutError.
    response = await HttpCommunicator(application, "GET", "/box/").get_response()
    return response["status"], json.loads(response["body"])


async def enter(application):
    client = WebsocketCommunicator(application, "/box/")
    assert await client.connect() == (True, None)
    return client


async def send(client, frame):
    """Send a frame, also an empty one, which send_to() refuses."""
    await client.send_input({"type": "websocket.receive", **frame})


async def leave(*clients):
    for client in clients:
        await client.disconnect()
        # disconnect() cancels a consumer that does not stop, and raises no error.
        assert not client.future.cancelled()


class TestBox:
    async def test_saves_each_text_and_sends_it_to_all(self, application):
        sender, other = await enter(application), await enter(application)
        for text in TEXTS:
            await send(sender, {"text": text})
            frames = [await client.receive_json_from() for client in (sender, other)]
            row = await Entry.objects.order_by("id").alast()
            # Compared with the row: the first id need not be 1.
            assert frames == [{"id": row.id, "text": text}] * 2
        assert await saved_texts() == TEXTS
        assert await sender.receive_nothing()
        assert await other.receive_nothing()
        await leave(sender, other)

    async def test_refuses_other_frames(self, application):
        sender, other = await enter(application), await enter(application)
        for frame in OTHER_FRAMES:
            await send(sender, frame)
            assert await sender.receive_json_from() == {"error": "invalid"}
            assert await sender.receive_nothing()  # no second frame, and no close
        assert await other.receive_nothing()
        assert await saved_texts() == []
        assert await ask(application) == (200, {"entries": 0})
        await leave(sender, other)

    async def test_counts_the_entries(self, application):
        client = await enter(application)
        for number, text in enumerate(TEXTS):
            assert await ask(application) == (200, {"entries": number})
            await send(client, {"text": text})
            await client.receive_from()
        assert await ask(application) == (200, {"entries": 3})
        await leave(client)
