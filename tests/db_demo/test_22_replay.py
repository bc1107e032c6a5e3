"""Lesson 22, EntryCounter: a message says when to count, and the database says how many."""

import pytest
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

from db_demo.consumers import EntryCounter
from db_demo.models import Entry

pytestmark = pytest.mark.django_db(transaction=True)


async def connect(query=""):
    client = WebsocketCommunicator(EntryCounter.as_asgi(), f"/ws/db/replay/{query}")
    assert await client.connect() == (True, None)
    return client


async def save(*texts):
    return [(await Entry.objects.acreate(text=text)).id for text in texts]


async def notify():
    await get_channel_layer().group_send("entries", {"type": "entry.saved"})


async def test_a_client_that_returns_receives_what_it_missed():
    first, _, last = await save("one", "two", "three")
    client = await connect(f"?after={first}")
    assert await client.receive_json_from() == {"new": 2, "last": last}
    await client.disconnect()


WRONG_IDS = ["", "seven", "-1", "1.5", "%C2%B2", "7%0A", "9" * 19, "%FF"]


@pytest.mark.parametrize("query", ["", "?x=1", *(f"?after={wrong}" for wrong in WRONG_IDS)])
async def test_counts_from_0_without_a_valid_id(query):
    await Entry.objects.acreate(id=1, text="one")  # the lowest id
    client = await connect(query)
    assert await client.receive_json_from() == {"new": 1, "last": 1}
    await client.disconnect()


async def test_an_entry_is_saved_and_counted_by_all():
    clients = [await connect(), await connect()]
    for client in clients:
        assert await client.receive_json_from() == {"new": 0, "last": None}
    await clients[0].send_to('"ä ☃"')
    frames = [await client.receive_json_from() for client in clients]
    entry = await Entry.objects.aget()
    assert entry.text == '"ä ☃"'
    assert frames == [{"new": 1, "last": entry.id}] * 2
    for client in clients:
        await client.disconnect()


async def test_each_client_has_its_own_last_id():
    first, last = await save("one", "two")
    clients = [await connect(f"?after={after}") for after in (0, first, last)]
    assert [(await client.receive_json_from())["new"] for client in clients] == [2, 1, 0]
    await save("three")
    await notify()
    assert [(await client.receive_json_from())["new"] for client in clients] == [3, 2, 1]
    for client in clients:
        await client.disconnect()


async def test_a_lost_message_loses_no_entry():
    client = await connect()
    assert await client.receive_json_from() == {"new": 0, "last": None}
    _, last = await save("its message is lost", "its message arrives twice")
    await notify()
    await notify()
    assert await client.receive_json_from() == {"new": 2, "last": last}
    assert await client.receive_nothing(timeout=0.05)
    await client.disconnect()


async def test_an_entry_that_is_saved_just_before_the_join_is_not_missed(monkeypatch):
    layer = get_channel_layer()
    join = layer.group_add

    async def save_and_join(group, channel):
        await save("no client is in the group yet")
        await join(group, channel)

    monkeypatch.setattr(layer, "group_add", save_and_join)
    client = await connect()
    assert (await client.receive_json_from())["new"] == 1
    await client.disconnect()


@pytest.mark.parametrize("frame", [{"text": ""}, {"bytes": b"hi"}])
async def test_a_frame_without_text_is_ignored(frame):
    client = await connect()
    await client.send_input({"type": "websocket.receive", **frame})
    await client.disconnect()
    assert not await Entry.objects.aexists()


@pytest.mark.parametrize("character", ["x", "🦊"])
async def test_an_entry_may_have_1000_characters_and_a_longer_text_is_refused(character):
    client = await connect()
    assert (await client.receive_json_from())["new"] == 0
    await client.send_to(character * 1001)
    assert await client.receive_json_from() == {"error": "too long"}
    await client.send_to(character * 1000)
    assert (await client.receive_json_from())["new"] == 1
    assert (await Entry.objects.aget()).text == character * 1000
    await client.disconnect()
