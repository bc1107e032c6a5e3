"""Lesson 19, Guestbook: it saves each visit, and sends the last three. No query blocks the loop."""

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Group
from django.core.exceptions import SynchronousOnlyOperation

from db_demo.consumers import Guestbook
from db_demo.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def groups():
    Group.objects.create(name="editors")
    Group.objects.create(name="guests")


async def connect(consumer=Guestbook):
    client = WebsocketCommunicator(consumer.as_asgi(), "/ws/db/orm/")
    await client.connect()
    return client


async def test_sends_the_number_of_groups():
    client = await connect()
    assert await client.receive_from() == "2 groups"
    await client.disconnect()


async def test_saves_each_visit_and_sends_the_last_three_newest_first():
    guests = await Group.objects.aget(name="guests")
    _, second, third = [await Visit.objects.acreate(group=guests) for _ in range(3)]
    client = await connect()
    assert await client.receive_from() == "2 groups"
    await client.send_to("editors")
    frames = [await client.receive_from() for _ in range(3)]
    saved = await Visit.objects.alast()
    assert frames == [f"{saved.id}: editors", f"{third.id}: guests", f"{second.id}: guests"]
    await client.disconnect()
    assert await client.receive_nothing(timeout=0)


@pytest.mark.parametrize("frame", [{"text": "Editors"}, {"text": ""}, {"bytes": b"editors"}])
async def test_saves_nothing_for_an_unknown_group_and_continues(frame):
    client = await connect()
    assert await client.receive_from() == "2 groups"
    await client.send_input({"type": "websocket.receive", **frame})
    assert await client.receive_from() == "no such group"
    assert not await Visit.objects.aexists()
    await client.send_to("guests")
    assert await client.receive_from() == f"{(await Visit.objects.aget()).id}: guests"
    await client.disconnect()


class QueriesOnTheLoop(Guestbook):
    async def find(self, name):
        return Group.objects.get(name=name)


class LoopsOnTheLoop(Guestbook):
    async def find(self, name):
        groups = Group.objects.filter(name=name)  # makes no query yet
        return list(groups).pop()


@pytest.mark.parametrize("wrong_version", [QueriesOnTheLoop, LoopsOnTheLoop])
async def test_a_query_on_the_event_loop_raises(wrong_version):
    client = await connect(wrong_version)
    await client.send_to("editors")
    with pytest.raises(SynchronousOnlyOperation):
        await client.wait()


async def test_async_for_has_all_rows_before_the_first():
    rows = Group.objects.all()
    async for _ in rows:
        assert len(rows._result_cache) == 2
        break
