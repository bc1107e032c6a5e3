"""Lesson 20, Guestbook: it queries in three ways, and never on the event loop."""

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Group
from django.core.exceptions import SynchronousOnlyOperation

from db_demo.consumers import Guestbook
from db_demo.models import Visit

DATABASE = pytest.mark.django_db(transaction=True)


@DATABASE
def test_answers_from_the_database_without_an_exception():
    async def conversation():
        await Group.objects.acreate(name="editors")
        client = WebsocketCommunicator(Guestbook.as_asgi(), "/ws/db/orm/")
        await client.connect()
        assert await client.receive_from() == "1 groups"
        await client.send_to("editors")
        frame = await client.receive_from()
        visit = await Visit.objects.aget()
        assert frame == f"{visit.id}: editors"
        await client.send_to("others")
        assert await client.receive_from() == "no such group"
        await client.disconnect()

    async_to_sync(conversation)()


class QueriesOnTheLoop(Guestbook):
    async def find(self, name):
        return Group.objects.get(name=name)


class LoopsOnTheLoop(Guestbook):
    async def websocket_receive(self, event):
        group = await self.find(event["text"])
        visits = Visit.objects.filter(group=group)  # makes no query yet
        for _ in visits:
            pass


@DATABASE
@pytest.mark.parametrize("wrong_version", [QueriesOnTheLoop, LoopsOnTheLoop])
def test_a_query_on_the_event_loop_raises(wrong_version):
    async def conversation():
        await Group.objects.acreate(name="editors")
        client = WebsocketCommunicator(wrong_version.as_asgi(), "/ws/db/orm/")
        await client.connect()
        await client.receive_from()
        await client.send_to("editors")
        with pytest.raises(SynchronousOnlyOperation):
            await client.receive_from()

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator does not show which thread runs a query, and not whether a thread keeps a
# connection open. It also accepts frames that Daphne would refuse.

import threading

from channels.routing import URLRouter

from db_demo.routing import storing_urlpatterns
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.judge import StrictCommunicator


@pytest.fixture
async def database():
    async with fresh_database() as fresh:
        await fresh.do(lambda: [Group.objects.create(name=name) for name in ("editors", "guests")])
        yield fresh


def new_client():
    return StrictCommunicator(URLRouter(storing_urlpatterns), "/ws/db/orm/")


def text_frame(text):
    return {"type": "websocket.send", "text": text}


async def enter(client):
    await client.send_input({"type": "websocket.connect"})
    client.expect({"type": "websocket.accept"}, text_frame("2 groups"))


async def test_saves_each_visit_and_sends_the_last_three_newest_first(database):
    async with new_client() as client:
        await enter(client)
        frames = []
        for number, name in enumerate(["editors", "guests", "editors", "editors"], start=1):
            frames = [text_frame(f"{number}: {name}"), *frames][:3]
            await client.send_to(text_data=name)
            client.expect(*frames)
    assert await Visit.objects.acount() == 4


@pytest.mark.parametrize(
    "frame", [{"text_data": "Editors"}, {"text_data": ""}, {"bytes_data": b"editors"}]
)
async def test_saves_nothing_for_an_unknown_group_and_continues(database, frame):
    async with new_client() as client:
        await enter(client)
        await client.send_to(**frame)
        client.expect(text_frame("no such group"))
        assert await Visit.objects.acount() == 0
        await client.send_to(text_data="guests")
        client.expect(text_frame("1: guests"))


async def test_handlers_run_on_the_loop_and_all_queries_in_one_other_thread(database):
    async with new_client() as client:
        await enter(client)
        await client.send_to(text_data="editors")
    here = threading.current_thread().name
    events = [event for event in client.transcript if event.handler]
    queries = [event for event in events if event.lane == "database"]
    handled = [event for event in events if event.lane == "client"]
    assert {event.thread for event in handled} == {here}
    (there,) = {query.thread for query in queries}
    assert there != here
    assert [(query.handler, query.message["sql"].split()[0]) for query in queries] == [
        ("websocket_connect", "SELECT"),
        ("websocket_receive", "SELECT"),
        ("websocket_receive", "INSERT"),
        ("websocket_receive", "SELECT"),
    ]


async def test_leaves_no_connection_in_an_unmanaged_thread(database):
    async with new_client() as client:
        await enter(client)
        await client.send_to(text_data="editors")
    assert await database.unmanaged_connections() == []
