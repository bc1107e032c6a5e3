"""Five issues of Channels about tests: the same test with the stock communicator and with `world`.

https://github.com/django/channels/issues/ 2007, 2043, 2118, 1225 and 1947.
"""

import asyncio

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Group
from django.db import connection
from django.db.backends.signals import connection_created
from django.urls import path

from lessons.workshop.engine.pytest_plugin.report import ConsumerFault
from lessons.workshop.engine.pytest_plugin.simulation import World


class Editor(AsyncWebsocketConsumer):
    """2007: it saves a row when a client connects. 1225: two clients of it connect."""

    async def connect(self):
        await database_sync_to_async(Group.objects.update)(name="edited")
        await self.accept()


class Detail(WebsocketConsumer):
    """2043: a sync consumer accepts if its row exists, and then joins a group."""

    def connect(self):
        if Group.objects.filter(name="draft").exists():
            async_to_sync(self.channel_layer.group_add)("drafts", self.channel_name)
            self.accept()
        else:
            self.close()

    def disconnect(self, code):
        async_to_sync(self.channel_layer.group_discard)("drafts", self.channel_name)


class LoggedInOnly(AsyncWebsocketConsumer):
    """1947: it neither accepts nor closes."""

    async def connect(self):
        await asyncio.sleep(0)


application = URLRouter(
    [
        path("ws/editor/", Editor.as_asgi()),
        path("ws/detail/", Detail.as_asgi()),
        path("ws/users/", LoggedInOnly.as_asgi()),
    ]
)


@pytest.fixture
def draft(db):
    return Group.objects.create(name="draft")


# 2007, 2043, 1225: rows of the test's transaction


async def test_stock_2043_a_consumer_in_a_thread_does_not_find_the_row(draft):
    """Its thread has another connection, which does not see the transaction of the test."""
    client = WebsocketCommunicator(application, "/ws/detail/")
    assert await client.connect() == (False, 1000)


def test_2043_a_sync_consumer_finds_the_row(world, draft):
    assert world.connect("/ws/detail/").accepted


def test_2007_a_consumer_saves_what_the_test_reads(world, draft):
    assert world.connect("/ws/editor/").accepted
    draft.refresh_from_db()
    assert draft.name == "edited"


def test_1225_a_second_client_may_connect(world, draft):
    first, second = world.connect("/ws/editor/"), world.connect("/ws/editor/")
    assert (first.accepted, second.accepted) == (True, True)


# 2007, 2118: connections that outlive a test


@pytest.fixture
def opened():
    """The connections to the database that are opened from now on."""
    found = []

    def note(connection, **kwargs):
        found.append(connection)

    connection_created.connect(note)
    yield found
    connection_created.disconnect(note)
    for one in found:
        one.inc_thread_sharing()
        one.close()


@pytest.mark.django_db(transaction=True)
async def test_stock_2007_the_connection_of_a_thread_stays_open_without_a_disconnect():
    """Another database than SQLite refuses to delete the test database then."""
    client = WebsocketCommunicator(application, "/ws/editor/")
    assert await client.connect() == (True, None)
    assert await sync_to_async(lambda: connection.connection)() is not None
    await client.disconnect()
    assert await sync_to_async(lambda: connection.connection)() is None


@pytest.mark.django_db(transaction=True)
def test_2007_2118_no_connection_of_a_consumer_outlives_the_test(opened):
    with World(application, uses_database=True) as world:
        world.connect("/ws/editor/")
        world.finish()
    assert opened
    assert [it for it in opened if it.connection is not None] == []


@pytest.mark.django_db
def test_2118_channels_cannot_close_the_connection_of_the_test(world):
    world.connect("/ws/editor/").leave()
    assert connection.in_atomic_block
    assert connection.is_usable()


# 1947: a handshake without an answer


async def test_stock_1947_waits_in_real_time_and_then_the_communicator_is_of_no_use():
    client = WebsocketCommunicator(application, "/ws/users/")
    with pytest.raises(TimeoutError):
        await client.connect(timeout=0.01)
    assert client.future.cancelled()


def test_1947_a_missing_answer_names_the_handler(world):
    with pytest.raises(ConsumerFault, match="The handshake was never answered") as raised:
        world.connect("/ws/users/")
    assert raised.value.finding.handler == "LoggedInOnly.connect"
