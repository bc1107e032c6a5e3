"""What holds for every consumer of the five apps, however its client leaves.

Strict, because the stock communicator cancels a consumer that does not stop, and its test passes.
The strict one cancels as Daphne does. It reports a consumer that does not stop, or that leaves a
task, a group or a connection to the database behind.
"""

import asyncio
from importlib import import_module

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User

from auth_demo import tickets, tokens
from db_demo.models import Presence
from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.engine.world.accounts import log_in
from lessons.workshop.engine.world.cache import fresh_cache
from tests.support.strict_communicator import StrictCommunicator, StrictHttpCommunicator

OTHERS = (  # no lesson begins with them
    "/ws/sync/subprotocol/",
    "/ws/async/await/printer/",
    "/ws/async/blocking/own-thread/",
    "/ws/db/generic-chat/lobby/",
)
PATHS = [*(it.path for it in lessons() if it.path.startswith("/ws/")), *OTHERS]
QUERIES = {
    "/ws/sync/accept/": "?name=ada",
    "/ws/sync/communicator/": "?gate=north",
    "/ws/auth/ticket/": "?ticket={ticket}",
}
# A frame after which a handler or a task is busy. For others, `hello` is one.
BUSY = {
    "/ws/async/await/printer/": "letter",
    "/ws/async/blocking/": "sleep",
    "/ws/async/blocking/own-thread/": "bake",
    "/ws/async/push/": "slower",
    "/ws/async/generic/": '{"set": 1}',
    "/ws/async/page/": "",
    "/ws/async/stream/": "hare",
    "/ws/layers/worker/": "91",
    "/ws/db/chat/lobby/": '{"message": "hello"}',
    "/ws/db/generic-chat/lobby/": '{"message": "hello"}',
}
# Those that join a group, and then accept. EntryCounter accepts first. It misses no entry, because
# it reads after it has joined.
GROUPS = {
    "/ws/layers/group/lobby/": "lobby",
    "/ws/layers/delivery/": "specific.check.1",
    "/ws/layers/redis/": "siren",
    "/ws/layers/worker/": "factors",
    "/ws/layers/outside/1/": "board-1",
    "/ws/db/liveblog/": "liveblog",
    "/ws/db/testing/": "doorbell",
    "/ws/db/chat/lobby/": "db-chat-lobby",
    "/ws/db/generic-chat/lobby/": "db-chat-lobby",
}


def app_of(path):
    return f"{path.split('/')[2]}_demo"


def id_of(path):
    """With the app's name: a run of mutants selects the tests of one app."""
    return f"{app_of(path)} {path}"


@pytest.fixture(autouse=True)
def layer(simulated_layer):
    with fresh_cache():
        yield simulated_layer


@pytest.fixture
async def open_client(database):
    """`open_client("/ws/sync/stop/")`: a client that is logged in as ada, with a ticket."""
    clients = []
    headers = [(b"origin", b"http://localhost"), *await sync_to_async(log_in)("ada")]
    ada = await User.objects.aget()
    ticket = await sync_to_async(tickets.issue)(ada)
    offered = ["door.v1", "mailbox.v1", f"token.{tokens.issue(ada)}"]

    def start(path):
        application = import_module(f"{app_of(path)}.asgi").application
        query = QUERIES.get(path, "").format(ticket=ticket)
        clients.append(StrictCommunicator(application, path + query, headers, offered))
        return clients[-1]

    yield start
    for client in clients:
        async with client:
            client.take_unread()


@pytest.fixture(params=PATHS, ids=id_of)
def client(request, open_client):
    """A client of each consumer. `busy` is the frame that makes the consumer busy."""
    client = open_client(request.param)
    client.busy = BUSY.get(request.param, "hello")
    return client


async def expect_nothing_left(client, layer):
    assert client.finished
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not any(layer.groups.values())
    assert not await Presence.objects.aexists()


@pytest.mark.parametrize("code", [1001, 1006, None])
async def test_is_routed_at_its_path_and_stops_when_the_client_leaves(client, layer, code):
    assert (await client.connect())[0]
    await client.disconnect(code)
    await expect_nothing_left(client, layer)


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_leaves_nothing_behind_however_its_busy_connection_ends(client, layer, end):
    await client.connect()
    await client.send_to(text_data=client.busy)
    await getattr(client, end)()
    await expect_nothing_left(client, layer)


async def test_ends_without_an_error_if_it_is_cancelled_before_its_first_event(client, layer):
    await client.kill()
    await expect_nothing_left(client, layer)


@pytest.mark.parametrize("path", GROUPS, ids=id_of)
async def test_joins_its_group_before_it_accepts(open_client, layer, path):
    client = open_client(path)
    await client.connect()
    assert [name for name, members in layer.groups.items() if members] == [GROUPS[path]]
    order = [event.message["type"] for event in client.transcript]
    assert order.index("group_add") < order.index("websocket.accept")


@pytest.mark.parametrize("path", ["/async/http/", "/async/http/length/"])
@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_a_request_to_async_demo_ends_however_its_client_or_consumer_ends(
    database, layer, path, end
):
    application = import_module("async_demo.asgi").application
    async with StrictHttpCommunicator(application, "POST", path, b"body") as client:
        await client.send_request()
        await getattr(client, end)()
        await expect_nothing_left(client, layer)


async def test_db_demo_leaves_no_connection_in_an_unmanaged_thread(database, open_client):
    client = open_client("/ws/db/orm/")
    await client.connect()
    await Group.objects.acreate(name="editors")
    await client.send_to(text_data="editors")
    client.take_unread()
    await client.leave()
    assert await database.unmanaged_connections() == []
