"""Lesson 28: a suite for a suggestion box.

`application` is the box. A right box keeps these promises:

- It accepts each client. When a client has left, its consumer stops.
- It saves a text frame of 1 to 100 characters unchanged, as one `Entry`. Then each connected
  client, also the sender, gets one JSON object: `id` and `text` of the row.
- For any other frame, it saves nothing. The sender gets `{"error": "invalid"}`, other clients get
  nothing, and the connection stays open.
- A GET request gets status 200 and a JSON object: `entries`, the number of rows.

Each `async def test_...` is a test. Before it, the tables are emptied; ids need not begin at 1. All
must be green for each right box. At least one must be red for each box that breaks a promise. Two
clients and the frames below show each fault.
"""

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
        # TODO 1: check that the consumer stopped. disconnect() cancels a consumer that did not.


class TestBox:
    async def test_saves_each_text_and_sends_it_to_all(self, application):
        sender = await enter(application)
        for text in TEXTS:
            await send(sender, {"text": text})
            await sender.receive_json_from()
        # TODO 2: compare each frame with its row, for another client, too. Compare the table.
        assert await Entry.objects.acount() == 3
        await leave(sender)

    async def test_refuses_other_frames(self, application):
        sender, other = await enter(application), await enter(application)
        for frame in OTHER_FRAMES:
            await send(sender, frame)
            # TODO 3: compare what each client gets, what is saved, and what is counted.
        await leave(sender, other)

    async def test_counts_the_entries(self, application):
        # TODO 4: compare the response after each text.
        assert await ask(application) == (200, {"entries": 0})
