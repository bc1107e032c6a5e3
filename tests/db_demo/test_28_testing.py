"""Lesson 28, Doorbell: a suite with a database, a group and two clients."""

import pytest
from channels.testing import WebsocketCommunicator

from db_demo.consumers import Doorbell
from db_demo.models import Entry


async def enter(consumer=Doorbell):
    client = WebsocketCommunicator(consumer.as_asgi(), "/ws/db/testing/")
    assert await client.connect() == (True, None)
    return client


async def leave(client):
    await client.disconnect()
    assert not client.future.cancelled()


@pytest.mark.django_db(transaction=True)
async def test_each_ring_is_saved_and_all_clients_get_the_number():
    clients = [await enter(), await enter()]
    for count, client in enumerate(clients, start=1):
        await client.send_to("ring")
        assert [await one.receive_from() for one in clients] == [f"rings: {count}"] * 2
        assert [entry.text async for entry in Entry.objects.all()] == ["ring"] * count
    for client in clients:
        assert await client.receive_nothing(timeout=0.02)
        await leave(client)


@pytest.mark.django_db(transaction=True)
async def test_another_text_is_not_saved():
    client = await enter()
    await client.send_to("knock")
    await client.send_to(bytes_data=b"ring")
    await leave(client)
    assert await client.receive_nothing(timeout=0)
    assert not await Entry.objects.aexists()


class Forgetful(Doorbell):
    """Counts in memory: no row is saved."""

    rings = 0

    async def websocket_receive(self, event):
        if event.get("text") == "ring":
            Forgetful.rings += 1
            await self.channel_layer.group_send("doorbell", {"type": "doorbell.rang"})

    async def doorbell_rang(self, event):
        await self.send({"type": "websocket.send", "text": f"rings: {Forgetful.rings}"})


async def test_a_suite_that_reads_only_frames_passes_a_doorbell_that_saves_nothing():
    client = await enter(Forgetful)
    for count in (1, 2):
        await client.send_to("ring")
        assert await client.receive_from() == f"rings: {count}"
    await leave(client)
