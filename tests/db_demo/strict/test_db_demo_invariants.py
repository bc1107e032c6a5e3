"""What holds for every consumer of db_demo, however its client leaves.

Only the strict communicator cancels a consumer as Daphne does, and reports a consumer that does not
stop or that leaves a task, a group or a database connection behind.
"""

import pytest
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser, Group
from django.urls import path

from db_demo.chat.generic import GenericChat
from db_demo.chat.raw import Chat
from db_demo.models import Presence
from db_demo.routing import storing_urlpatterns, websocket_urlpatterns
from lessons.workshop.engine.world.database import fresh_database
from tests.support.strict_communicator import StrictCommunicator

CHATS = [
    path("chat/<str:room>/", Chat.as_asgi()),
    path("generic/<str:room>/", GenericChat.as_asgi()),
]
demo = URLRouter([*websocket_urlpatterns, *storing_urlpatterns, *CHATS])
IN_A_GROUP = ["ws/db/liveblog/", "ws/db/replay/", "ws/db/testing/", "chat/lobby/", "generic/lobby/"]
# EntryCounter accepts first. It misses no entry, because it reads after it has joined.
JOINS_FIRST = [url for url in IN_A_GROUP if url != "ws/db/replay/"]


@pytest.fixture
async def database(layer):
    async with fresh_database() as database:
        yield database


def new_client(url):
    client = StrictCommunicator(demo, f"/{url}")
    client.scope["user"] = AnonymousUser()
    return client


@pytest.mark.parametrize("url", ["ws/db/orm/", *IN_A_GROUP])
@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_stops_and_leaves_its_group_however_the_connection_ends(database, layer, url, end):
    async with new_client(url) as client:
        assert (await client.connect())[0]
        await client.send_to(text_data="frame")
        client.unread.clear()
        assert any(layer.groups.values()) == (url in IN_A_GROUP)
        await getattr(client, end)()
        assert client.finished
        assert not any(layer.groups.values())
        assert not await Presence.objects.aexists()


@pytest.mark.parametrize("url", ["ws/db/orm/", *IN_A_GROUP])
async def test_survives_a_cancel_before_its_first_event(database, layer, url):
    async with new_client(url) as client:
        await client.kill()
        assert client.finished
        assert not any(layer.groups.values())


@pytest.mark.parametrize("url", JOINS_FIRST)
async def test_joins_before_it_accepts(database, url):
    async with new_client(url) as client:
        await client.connect()
        client.unread.clear()
        order = [event.message["type"] for event in client.transcript]
        assert order.index("group_add") < order.index("websocket.accept")


async def test_leaves_no_connection_in_an_unmanaged_thread(database):
    async with new_client("ws/db/orm/") as client:
        await client.connect()
        await Group.objects.acreate(name="editors")
        await client.send_to(text_data="editors")
        client.unread.clear()
    assert await database.unmanaged_connections() == []
