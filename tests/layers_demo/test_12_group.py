"""Lesson 12, Room: every client in a room receives each text, and leaves the room at its end."""

import asyncio

import pytest
from channels.layers import get_channel_layer
from channels.routing import URLRouter

from layers_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator

ACCEPT = {"type": "websocket.accept"}
CLOSE_4004 = {"type": "websocket.close", "code": 4004}


def new_client(name="lobby"):
    return StrictCommunicator(URLRouter(websocket_urlpatterns), f"/ws/layers/group/{name}/")


async def enter(client):
    assert await client.connect() == (True, None)
    client.expect()


def text_frame(text):
    return {"type": "websocket.send", "text": text}


async def test_every_client_in_the_room_receives_each_text():
    async with new_client() as first, new_client() as second, new_client() as third:
        for client in (first, second, third):
            await enter(client)
        for number, client in enumerate((first, second, third)):
            await client.send_to(text_data=f"{number}")
        for client in (first, second, third):
            client.expect(text_frame("0"), text_frame("1"), text_frame("2"))


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


@pytest.mark.parametrize("other", ["Lobby", "lobb", "lobby.", "obby", "lobby-2"])
async def test_another_room_receives_nothing(other):
    async with new_client() as here, new_client(other) as there:
        await enter(here)
        await enter(there)
        await here.send_to(text_data="hi")
        here.expect(text_frame("hi"))
        there.expect()


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


@pytest.mark.parametrize(
    "name", ["%20", "a%20b", "caf%C3%A9", "%D9%A3", "lobby%0A", "a!b", "x" * 81, "x" * 300]
)
async def test_an_invalid_name_closes_with_a_code(layer, name):
    async with new_client(name) as client:
        assert await client.connect() == (True, None)
        client.expect(CLOSE_4004)
        assert not layer.groups
        assert client.finished


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
