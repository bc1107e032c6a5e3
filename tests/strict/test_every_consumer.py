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
from lessons.workshop.engine.world.cache import fresh_cache
from tests.support.strict_communicator import StrictCommunicator, StrictHttpCommunicator

# The path of each consumer, and a frame after which a handler or a task of it is busy.
CONSUMERS = {
    "sync_demo": {
        "start/": "hello",
        "accept/?name=ada": "hello",
        "subprotocol/": "hello",
        "frames/": "hello",
        "stop/": "hello",
        "communicator/?gate=north": "hello",
    },
    "async_demo": {
        "await/": "hello",
        "await/printer/": "letter",
        "blocking/": "sleep",
        "blocking/own-thread/": "bake",
        "push/": "slower",
        "generic/": '{"set": 1}',
        "page/": "",
        "cost/": "hello",
        "stream/": "hare",
        "deploy/": "hello",
    },
    "layers_demo": {
        "channel/": "hello",
        "group/lobby/": "hello",
        "delivery/": "hello",
        "redis/": "hello",
        "worker/": "91",
        "outside/1/": "hello",
    },
    "auth_demo": {
        "user/": "hello",
        "origin/": "hello",
        "logout/": "hello",
        "limits/": "hello",
        "ticket/?ticket={ticket}": "hello",
        "token/": "hello",
    },
    "db_demo": {
        "orm/": "hello",
        "liveblog/": "hello",
        "replay/": "hello",
        "testing/": "hello",
        "chat/lobby/": '{"message": "hello"}',
        "generic-chat/lobby/": '{"message": "hello"}',
    },
}
ALL = [(app, path) for app, paths in CONSUMERS.items() for path in paths]
# Those that join groups, and then accept. EntryCounter accepts first. It misses no entry, because
# it reads after it has joined.
GROUPS = {
    ("layers_demo", "group/lobby/"): ["lobby"],
    ("layers_demo", "delivery/"): ["specific.check.1"],
    ("layers_demo", "redis/"): ["siren"],
    ("layers_demo", "worker/"): ["factors"],
    ("layers_demo", "outside/1/"): ["board-1"],
    ("db_demo", "liveblog/"): ["liveblog"],
    ("db_demo", "testing/"): ["doorbell"],
    ("db_demo", "chat/lobby/"): ["db-chat-lobby"],
    ("db_demo", "generic-chat/lobby/"): ["db-chat-lobby"],
}


@pytest.fixture(autouse=True)
def layer(simulated_layer):
    with fresh_cache():
        yield simulated_layer


@pytest.fixture
async def open_client(database):
    """`open_client("sync_demo", "stop/")`: a client that is logged in as ada, with a ticket."""
    clients = []
    headers = [(b"origin", b"http://localhost"), *await database.log_in("ada")]
    ada = await User.objects.aget()
    ticket = await sync_to_async(tickets.issue)(ada)
    offered = ["door.v1", "mailbox.v1", f"token.{tokens.issue(ada)}"]

    def start(app, path):
        application = import_module(f"{app}.asgi").application
        path = f"/ws/{app.removesuffix('_demo')}/{path.format(ticket=ticket)}"
        clients.append(StrictCommunicator(application, path, headers, offered))
        return clients[-1]

    yield start
    for client in clients:
        async with client:
            client.take_unread()


@pytest.fixture(params=ALL, ids=lambda pair: f"{pair[0]} {pair[1]}")
def client(request, open_client):
    """A client of each consumer. `busy` is the frame that makes the consumer busy."""
    app, path = request.param
    client = open_client(app, path)
    client.busy = CONSUMERS[app][path]
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


@pytest.mark.parametrize(("consumer", "groups"), GROUPS.items(), ids=map("".join, GROUPS))
async def test_joins_its_group_before_it_accepts(open_client, layer, consumer, groups):
    client = open_client(*consumer)
    await client.connect()
    assert [name for name, members in layer.groups.items() if members] == groups
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
    client = open_client("db_demo", "orm/")
    await client.connect()
    await Group.objects.acreate(name="editors")
    await client.send_to(text_data="editors")
    client.take_unread()
    await client.leave()
    assert await database.unmanaged_connections() == []
