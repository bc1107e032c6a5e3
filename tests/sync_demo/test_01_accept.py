"""Lesson 1: Doorkeeper accepts clients with a name; FixedSubprotocol names what it speaks."""

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator

from sync_demo.asgi import application
from sync_demo.consumers import Doorkeeper, FixedSubprotocol

PATH = "/ws/sync/accept/"


@pytest.mark.parametrize("name, welcome", [("ada", "ada"), ("Ad%C3%A9le+L.", "Adéle L.")])
def test_accepts_a_client_with_a_name_and_welcomes_it(name, welcome):
    async def conversation():
        client = WebsocketCommunicator(Doorkeeper.as_asgi(), f"{PATH}?age=36&name={name}")
        assert await client.connect() == (True, None)
        assert await client.receive_from() == f"Welcome, {welcome}."
        assert await client.receive_nothing()
        await client.disconnect()

    async_to_sync(conversation)()


@pytest.mark.parametrize("query", ["", "?", "?age=36", "?Name=ada", "?name="])
def test_rejects_a_client_without_a_name(query):
    async def conversation():
        client = WebsocketCommunicator(Doorkeeper.as_asgi(), PATH + query)
        connected, _ = await client.connect()
        assert not connected
        assert await client.receive_nothing()
        await client.disconnect()

    async_to_sync(conversation)()


@pytest.mark.parametrize(
    "offered, answer",
    [
        (["chat", "door.v1"], (True, "door.v1")),
        (["door.v2"], (False, 1000)),
        ([], (False, 1000)),
    ],
)
def test_an_accept_names_a_subprotocol_that_the_client_offers(offered, answer):
    async def conversation():
        client = WebsocketCommunicator(
            FixedSubprotocol.as_asgi(), "/ws/sync/subprotocol/", subprotocols=offered
        )
        assert await client.connect() == answer
        assert await client.receive_nothing()
        await client.disconnect()

    async_to_sync(conversation)()


def test_asgi_py_finds_the_consumer_by_the_path():
    async def conversation():
        client = WebsocketCommunicator(application, f"{PATH}?name=ada")
        assert await client.connect() == (True, None)
        assert await client.receive_from() == "Welcome, ada."
        await client.disconnect()

    async_to_sync(conversation)()


@pytest.mark.parametrize("path", [f"{PATH}more", f"/more{PATH}", PATH.rstrip("/")])
def test_is_routed_at_no_other_path(path):
    with pytest.raises(ValueError, match="No route found for path"):
        async_to_sync(application)({"type": "websocket", "path": path}, None, None)


# ── What only the strict communicator sees ──
# The stock communicator cancels a consumer that does not stop, and the test passes. It also cannot
# send a close without a code or an empty frame.

from lessons.workshop.judge import StrictCommunicator

CONSUMERS = pytest.mark.parametrize(
    "consumer, offered", [(Doorkeeper, []), (FixedSubprotocol, ["door.v1"])]
)


def new_client(consumer, offered, query="?name=ada"):
    return StrictCommunicator(consumer.as_asgi(), PATH + query, subprotocols=offered)


@CONSUMERS
@pytest.mark.parametrize("code", [1000, 1001, 1006, None])
async def test_stops_when_the_client_leaves(consumer, offered, code):
    async with new_client(consumer, offered) as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished


@CONSUMERS
async def test_stops_after_a_rejection(consumer, offered):
    async with new_client(consumer, offered=[], query="") as client:
        await client.connect()
        assert (client.close_code, client.finished) == (1006, True)


@CONSUMERS
@pytest.mark.parametrize("frame", [{"text_data": "who?"}, {"text_data": ""}, {"bytes_data": b"?"}])
async def test_a_frame_gets_no_answer(consumer, offered, frame):
    async with new_client(consumer, offered) as client:
        await client.connect()
        before = len(client.transcript)
        await client.send_to(**frame)
        assert [line.message["type"] for line in client.transcript[before:]] == [
            "websocket.receive"
        ]
