"""The rules that every consumer of layers_demo keeps.

Strict, because the stock communicator cancels a consumer that does not stop, and its test passes.
The strict one also records the calls of the layer, and cancels a consumer as a server does.
"""

import asyncio

import pytest

from layers_demo.asgi import application
from lessons.workshop.engine.world.database import fresh_database
from tests.support.strict_communicator import StrictCommunicator

GROUPS = {
    "/ws/layers/channel/": [],
    "/ws/layers/group/lobby/": ["lobby"],
    "/ws/layers/delivery/": ["specific.check.1"],
    "/ws/layers/redis/": ["siren"],
    "/ws/layers/worker/": ["factors"],
    "/ws/layers/outside/1/": ["board-1"],
}
PATHS = pytest.mark.parametrize("path", GROUPS)


@pytest.fixture(autouse=True)
async def database(layer):
    async with fresh_database() as database:
        yield database


def new_client(path):
    return StrictCommunicator(application, path)


@PATHS
async def test_is_routed_at_its_path_and_joins_its_group_before_it_accepts(layer, path):
    async with new_client(path) as client:
        assert await client.connect() == (True, None)
        assert list(layer.groups) == GROUPS[path]
        types = [event.message["type"] for event in client.transcript]
        first = "group_add" if GROUPS[path] else "websocket.accept"
        assert types[2] == first  # after the scope and websocket.connect


@PATHS
@pytest.mark.parametrize("code", [1000, 1001, 1006, None])
async def test_stops_and_leaves_its_group_when_the_client_leaves(layer, path, code):
    async with new_client(path) as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished
        assert layer.groups == {}


@PATHS
@pytest.mark.parametrize("end", ["crash", "kill"])
async def test_leaves_its_group_when_a_handler_raises_or_the_server_cancels(layer, path, end):
    async with new_client(path) as client:
        await client.connect()
        await getattr(client, end)()
        assert client.finished
        assert layer.groups == {}


@PATHS
async def test_ends_without_an_error_if_it_is_cancelled_before_its_first_event(layer, path):
    async with new_client(path) as client:
        await client.kill()
        assert asyncio.all_tasks() == {asyncio.current_task()}
    assert layer.groups == {}
