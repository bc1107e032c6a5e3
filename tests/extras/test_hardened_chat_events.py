"""The hardened chat on the bare consumer, event by event.

test_hardened_chat tests messages, history and access.
"""

import asyncio
import json

import pytest

from db_demo.models import Message
from lessons.extras.models import Presence
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.judge import StrictCommunicator
from tests.support.chat_client import APPLICATION

ACCEPT = {"type": "websocket.accept"}


@pytest.fixture
async def database():
    async with fresh_database() as fresh:
        yield fresh


def guest(path="/ws/chat/lobby/"):
    return StrictCommunicator(APPLICATION, path)


def json_frame(**data):
    return {"type": "websocket.send", "text": json.dumps(data)}


async def test_the_classic_client_receives_what_it_sent(database):
    async with guest() as one, guest() as other:
        for client in (one, other):
            assert await client.connect() == (True, None)
            client.expect()
        await one.send_json_to({"message": "hello ☃"})
        for client in (one, other):
            client.expect(json_frame(message="hello ☃"))
    assert await database.do(Message.objects.count) == 1


async def test_a_client_that_sends_its_last_id_receives_more(database):
    async with guest("/ws/chat/lobby/?seen=0") as client:
        await client.connect()
        client.expect(json_frame(ready=0), json_frame(here=[], guests=1))
        await client.send_json_to({"message": "hello", "key": "k"})
        row = await database.do(Message.objects.get)
        at = row.written_at.isoformat()
        message = json_frame(message="hello", id=row.id, by=None, at=at)
        client.expect(message, json_frame(saved="k"))


@pytest.mark.parametrize(
    "frame", [{"bytes": b"hi"}, {"text": None, "bytes": b"hi"}, {"text": "hi"}, {"text": ""}]
)
async def test_invalid_json_gets_an_error_and_the_client_stays(database, frame):
    async with guest() as client:
        await client.connect()
        await client.send_input({"type": "websocket.receive", **frame})
        client.expect(json_frame(message="Send JSON in a text frame."))


async def test_a_client_without_access_is_accepted_and_closed_with_a_code(database):
    async with guest("/ws/chat/two%20words/") as client:
        assert await client.connect() == (True, None)
        client.expect({"type": "websocket.close", "code": 4404})


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_leaves_the_room_however_the_connection_ends(database, layer, end):
    async with guest() as client:
        await client.connect()
        assert list(layer.groups) == ["chat-room-lobby"]
        await getattr(client, end)()
        assert client.finished
        assert not layer.groups


async def test_leaves_the_room_even_if_a_busy_server_cancels_again_and_again(database, layer):
    async with guest() as client:
        await client.connect()
        for _ in range(50):  # Daphne cancels each second until the application has ended
            client.future.cancel()
            await asyncio.sleep(0)
        await asyncio.wait([client.future])
        await asyncio.get_running_loop().wait_until_idle()
        assert not layer.groups
        assert await database.do(Presence.objects.count) == 0
        client.server.is_judged = True  # without a disconnect event, so check nothing more
