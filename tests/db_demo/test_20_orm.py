"""Lesson 20, Guestbook: it queries in three ways, and never on the event loop."""

import threading

import pytest
from channels.routing import URLRouter
from django.contrib.auth.models import Group

from db_demo.models import Visit
from db_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator
from lessons.simulator.database import fresh_database


@pytest.fixture
async def database():
    async with fresh_database() as fresh:
        await fresh.do(lambda: [Group.objects.create(name=name) for name in ("editors", "guests")])
        yield fresh


def new_client():
    return StrictCommunicator(URLRouter(websocket_urlpatterns), "/ws/db/orm/")


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
