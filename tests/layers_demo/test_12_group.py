"""Lesson 12, Room: every client in a room receives each text, and leaves the room at its end."""

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from layers_demo.routing import websocket_urlpatterns

ACCEPT = {"type": "websocket.accept"}
CLOSE_4004 = {"type": "websocket.close", "code": 4004}


def stock_client(name="lobby"):
    path = f"/ws/layers/group/{name}/"
    return WebsocketCommunicator(URLRouter(websocket_urlpatterns), path)


def test_every_client_in_the_room_receives_each_text():
    async def conversation():
        clients = [stock_client(), stock_client(), stock_client()]
        for client in clients:
            assert await client.connect() == (True, None)
        for number, client in enumerate(clients):
            await client.send_to(text_data=f"text {number}")
            assert [await one.receive_from() for one in clients] == [f"text {number}"] * 3
        for client in clients:
            await client.disconnect()

    async_to_sync(conversation)()


@pytest.mark.parametrize("other", ["Lobby", "lobb", "lobby.", "obby", "lobby-2"])
def test_another_room_receives_nothing(other):
    async def conversation():
        here, there = stock_client(), stock_client(other)
        await here.connect()
        await there.connect()
        await here.send_to(text_data="hi")
        assert await here.receive_from() == "hi"
        assert await there.receive_nothing()
        await here.disconnect()
        await there.disconnect()

    async_to_sync(conversation)()


def test_leaves_the_room_after_an_exception_in_a_handler():
    async def conversation():
        first, second = stock_client(), stock_client()
        await first.connect()
        await second.connect()
        await second.send_input({"type": "no.such.handler"})
        with pytest.raises(ValueError, match="No handler for message type"):
            await second.wait()
        assert len(get_channel_layer().groups["room-lobby"]) == 1
        await first.disconnect()
        assert "room-lobby" not in get_channel_layer().groups

    async_to_sync(conversation)()


@pytest.mark.parametrize(
    "name", ["%20", "a%20b", "caf%C3%A9", "%D9%A3", "lobby%0A", "a!b", "x" * 81, "x" * 300]
)
def test_an_invalid_name_closes_with_a_code(name):
    async def conversation():
        client = stock_client(name)
        assert await client.connect() == (True, None)
        assert await client.receive_output() == CLOSE_4004
        assert not get_channel_layer().groups
        await client.disconnect()

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator hides a missing StopConsumer, cannot cancel a consumer as a server does,
# and does not record the calls of the layer.
import asyncio

from lessons.judge import StrictCommunicator


def new_client(name="lobby"):
    return StrictCommunicator(URLRouter(websocket_urlpatterns), f"/ws/layers/group/{name}/")


async def enter(client):
    assert await client.connect() == (True, None)
    client.expect()


def text_frame(text):
    return {"type": "websocket.send", "text": text}


async def test_the_message_leaves_one_consumer_and_reaches_the_other():
    async with new_client() as speaker, new_client() as listener:
        await enter(speaker)
        await enter(listener)
        await speaker.send_to(text_data="hi")
        calls = [event for event in speaker.transcript if event.lane == "layer"]
        assert [(event.message["type"], event.handler) for event in calls] == [
            ("group_add", "websocket_connect"),
            ("group_send", "websocket_receive"),
            ("room.message", "room_message"),
        ]
        received = [event for event in listener.transcript if event.lane == "layer"][-1]
        assert (received.message, received.handler) == (
            {"type": "room.message", "text": "hi"},
            "room_message",
        )


@pytest.mark.parametrize("frame", [{"text_data": ""}, {"bytes_data": b"hi"}])
async def test_a_frame_without_text_is_ignored(frame):
    async with new_client() as client:
        await enter(client)
        await client.send_to(**frame)
        client.expect()


async def test_is_in_before_it_accepts():
    async with new_client() as client:
        await enter(client)
        order = [event.message["type"] for event in client.transcript]
        assert order.index("group_add") < order.index("websocket.accept")


@pytest.mark.parametrize("name", ["a", "Z", "0", "_", "-", "a.b-c_d", "x" * 80])
async def test_a_valid_name_is_a_room(layer, name):
    async with new_client(name) as client:
        await enter(client)
        assert list(layer.groups) == [f"room-{name}"]


async def test_a_text_that_a_rejected_client_sends_is_ignored(layer):
    async with new_client("a%20b") as client:
        client.input_queue.put_nowait({"type": "websocket.connect"})
        client.input_queue.put_nowait({"type": "websocket.receive", "text": "hi"})
        await client.wait()
        client.expect(ACCEPT, CLOSE_4004)
        assert not layer.groups


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_leaves_the_room_however_the_connection_ends(layer, end):
    async with new_client() as witness, new_client() as client:
        await enter(witness)
        await enter(client)
        await getattr(client, end)()
        assert client.finished
        assert list(layer.groups["room-lobby"]) == ["specific.check!1"]


async def test_survives_a_cancel_before_its_first_event():
    async with new_client() as client:
        await client.kill()
        assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006])
async def test_an_empty_room_is_deleted(layer, code):
    async with new_client() as client:
        await enter(client)
        await client.disconnect(code)
        assert not layer.groups


async def test_other_code_may_send_to_a_room_even_if_it_is_empty():
    message = {"type": "room.message", "text": "closing soon"}
    await get_channel_layer().group_send("room-lobby", message)
    async with new_client() as client:
        await enter(client)
        await get_channel_layer().group_send("room-lobby", message)
        assert await client.receive_from() == "closing soon"
        client.expect()
