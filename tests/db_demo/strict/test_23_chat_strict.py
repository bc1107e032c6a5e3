"""Presence over time, clients at the same time, and a message saved at each step of a handshake.

The stock communicator has no clock that a test can move on, and lets no other process write between
two steps of a consumer.
"""

from datetime import timedelta

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from db_demo.chat.generic import GenericChat
from db_demo.chat.raw import HEARTBEAT_INTERVAL, Chat
from db_demo.chat.store import PRESENCE_TIMEOUT
from db_demo.models import Message, Presence, Room
from lessons.workshop.engine.world.interleaving import interleaving
from tests.support.interleaving import each_point
from tests.support.simulated_time import wait
from tests.support.strict_communicator import StrictCommunicator


@pytest.fixture(params=[Chat, GenericChat])
def new_client(request, database):
    def new_client(seen=0):
        client = StrictCommunicator(request.param.as_asgi(), f"/?seen={seen}")
        client.scope |= {"user": AnonymousUser(), "url_route": {"kwargs": {"room": "lobby"}}}
        return client

    return new_client


async def test_a_heartbeat_keeps_the_row(database, new_client):
    assert PRESENCE_TIMEOUT.total_seconds() == 3 * HEARTBEAT_INTERVAL
    async with new_client() as client:
        assert await client.connect() == (True, None)
        assert await client.receive_json_from() == {"here": [], "guests": 1}
        long_ago = timezone.now() - PRESENCE_TIMEOUT
        await Presence.objects.aupdate(seen_at=long_ago)
        await wait(HEARTBEAT_INTERVAL)
        assert (await Presence.objects.aget()).seen_at > long_ago


async def test_each_client_ends_its_own_heartbeat(database, new_client):
    async with new_client() as first:
        assert await first.connect() == (True, None)
        async with new_client() as second:
            assert await second.connect() == (True, None)


async def test_the_row_of_a_killed_process_expires(database, new_client):
    for age, guests in ((timedelta(seconds=1), 2), (PRESENCE_TIMEOUT + timedelta(seconds=1), 1)):
        values = {"room": "lobby", "seen_at": timezone.now() - age}
        await Presence.objects.aupdate_or_create(channel="killed", defaults=values)
        async with new_client() as client:
            assert await client.connect() == (True, None)
            assert await client.receive_json_from() == {"here": [], "guests": guests}


def save(*texts):
    room, _ = Room.objects.get_or_create(name="lobby")
    return [room.messages.create(text=text).id for text in texts]


async def test_clients_at_the_same_time_have_read_up_to_different_messages(database, new_client):
    first, _ = await database.do(save, "one", "two")
    # Without `?seen=`, a page of the tutorial: it receives no list of users.
    async with new_client("") as page, new_client(first) as back, new_client(10**6) as ahead:
        for client in (page, back, ahead):
            assert await client.connect() == (True, None)
        await page.send_json_to({"message": "three"})
        assert (await page.receive_json_from())["message"] == "three"
        received = []
        while "three" not in received:
            received.append((await back.receive_json_from()).get("message"))
        assert [text for text in received if text] == ["two", "three"]


async def test_a_message_that_is_saved_while_a_client_connects_is_sent_once(database, new_client):
    [old] = await database.do(save, "old")

    async def save_new():
        await database.do_in_other_process(save, "new")
        await get_channel_layer().group_send("db-chat-lobby", {"type": "chat.saved"})

    with interleaving() as moments:
        for _ in each_point(moments, save_new):
            async with new_client(seen=old) as client:
                await client.connect()
                await wait(0)
                frames = [await client.receive_json_from() for _ in client.unread[:]]
                is_saved = await Message.objects.filter(id__gt=old).aexists()
                texts = [frame["message"] for frame in frames if "message" in frame]
                assert texts == ["new"] * is_saved
            await Message.objects.filter(id__gt=old).adelete()
