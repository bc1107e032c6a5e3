"""Lesson 28, Doorbell: a suite with a database, a group and two clients."""

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator

from db_demo.consumers import Doorbell
from db_demo.models import Entry


async def enter():
    client = WebsocketCommunicator(Doorbell.as_asgi(), "/ws/db/testing/")
    assert await client.connect() == (True, None)
    return client


async def leave(*clients):
    for client in clients:
        await client.disconnect()
        assert not client.future.cancelled()


@pytest.mark.django_db(transaction=True)
def test_each_ring_is_saved_and_all_clients_get_the_number():
    async def conversation():
        clients = [await enter(), await enter()]
        for count, client in enumerate(clients, start=1):
            await client.send_to(text_data="ring")
            texts = [await one.receive_from() for one in clients]
            assert texts == [f"rings: {count}"] * 2
            assert await Entry.objects.filter(text="ring").acount() == count
        assert [await one.receive_nothing() for one in clients] == [True, True]
        await leave(*clients)

    async_to_sync(conversation)()


@pytest.mark.django_db(transaction=True)
def test_another_text_is_not_saved():
    async def conversation():
        client = await enter()
        await client.send_to(text_data="knock")
        await client.send_to(bytes_data=b"ring")
        assert await client.receive_nothing()
        assert not await Entry.objects.aexists()
        await leave(client)

    async_to_sync(conversation)()


class Forgetful(Doorbell):
    """Counts in memory: no row is saved."""

    rings = 0

    async def websocket_receive(self, event):
        if event.get("text") == "ring":
            Forgetful.rings += 1
            await self.channel_layer.group_send("doorbell", {"type": "doorbell.rang"})

    async def doorbell_rang(self, event):
        await self.send({"type": "websocket.send", "text": f"rings: {Forgetful.rings}"})


def test_a_suite_that_reads_only_frames_passes_a_doorbell_that_saves_nothing():
    async def conversation():
        client = WebsocketCommunicator(Forgetful.as_asgi(), "/ws/db/testing/")
        await client.connect()
        for count in (1, 2):
            await client.send_to(text_data="ring")
            assert await client.receive_from() == f"rings: {count}"
        await client.disconnect()

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator cannot end a consumer as a server does: by an exception, or by a kill.
from lessons.workshop.judge import StrictCommunicator


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
@pytest.mark.django_db(transaction=True)
async def test_leaves_the_group_however_the_connection_ends(layer, end):
    async with StrictCommunicator(Doorbell.as_asgi(), "/ws/db/testing/") as client:
        assert await client.connect() == (True, None)
        await getattr(client, end)()
        assert client.finished
        assert not layer.groups


@pytest.mark.django_db(transaction=True)
async def test_joins_before_it_accepts():
    async with StrictCommunicator(Doorbell.as_asgi(), "/ws/db/testing/") as client:
        await client.connect()
        order = [event.message["type"] for event in client.transcript]
        assert order.index("group_add") < order.index("websocket.accept")
