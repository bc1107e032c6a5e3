"""Lesson 10: a page receives what it has missed, and learns from a code whether to come back."""

from collections import deque
from itertools import count

import pytest
from channels.testing import WebsocketCommunicator

from async_demo import board
from async_demo.asgi import application

PATH = "/ws/async/page/"


@pytest.fixture(autouse=True)
def empty_board(monkeypatch):
    monkeypatch.setattr(board, "ids", count(1))
    monkeypatch.setattr(board, "notes", deque(maxlen=board.notes.maxlen))


async def connect(query=""):
    client = WebsocketCommunicator(application, PATH + query)
    assert await client.connect() == (True, None)
    return client


async def write(client, *texts):
    """Send each text, and return the notes that come back."""
    notes = []
    for text in texts:
        await client.send_to(text_data=text)
        notes.append(await client.receive_json_from())
    return notes


async def test_numbers_the_notes_of_all_clients():
    ada, ben = await connect(), await connect()
    assert await write(ada, "Bread", "Milk") == [
        {"id": 1, "text": "Bread"},
        {"id": 2, "text": "Milk"},
    ]
    assert await write(ben, "Cake") == [{"id": 3, "text": "Cake"}]
    await ada.disconnect()
    await ben.disconnect()


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [1, 2, 3]),
        ("?after=0", [1, 2, 3]),
        ("?after=2", [3]),
        ("?after=3", []),
        ("?after=9", []),
    ],
)
async def test_sends_the_notes_after_the_last_id(query, ids):
    ada = await connect()
    await write(ada, "Bread", "Milk", "Cake")
    ben = await connect(query)
    assert [(await ben.receive_json_from())["id"] for _ in ids] == ids
    await ada.disconnect()
    await ben.disconnect()
    assert ben.output_queue.empty()


async def test_keeps_the_newest_20_notes():
    ada = await connect()
    await write(ada, *map(str, range(1, 31)))
    ben = await connect()
    assert [(await ben.receive_json_from())["id"] for _ in range(20)] == list(range(11, 31))
    await ada.disconnect()
    await ben.disconnect()


async def test_cuts_a_long_note():
    client = await connect()
    assert await write(client, "é" * 101) == [{"id": 1, "text": "é" * 100}]
    await client.disconnect()


@pytest.mark.parametrize("after", ["", "two", "-1", "1.5", "%C2%B2", "7%0A", "9" * 19])
async def test_closes_with_4400_after_the_accept_if_the_id_is_invalid(after):
    client = await connect(f"?after={after}")
    assert await client.receive_output() == {"type": "websocket.close", "code": 4400}
    await client.disconnect(4400)
    assert not client.future.cancelled()


@pytest.mark.parametrize(
    ("text", "code"), [("the end", 1000), ("restart", 4012), ("full", 4013), ("log out", 4401)]
)
async def test_closes_with_the_code_that_a_client_asks_for(text, code):
    client = await connect()
    await client.send_to(text_data=text)
    await client.send_to(text_data="sent before the client received the close")
    assert await client.receive_output() == {"type": "websocket.close", "code": code}
    await client.disconnect(code)
    assert not client.future.cancelled()
    assert client.output_queue.empty()
    assert not board.notes


async def test_ignores_empty_and_binary_frames():
    client = await connect()
    await client.send_input({"type": "websocket.receive", "text": ""})
    await client.send_to(bytes_data=b"Bread")
    assert await write(client, "Milk") == [{"id": 1, "text": "Milk"}]
    await client.disconnect()
