"""Lesson 12, Jukebox: every client hears each song, and each consumer leaves at its end."""

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from layers_demo.routing import websocket_urlpatterns

PATH = "/ws/layers/group/lobby/"


def stock_client():
    return WebsocketCommunicator(URLRouter(websocket_urlpatterns), PATH)


def test_every_client_hears_each_song():
    async def conversation():
        clients = [stock_client(), stock_client(), stock_client()]
        for client in clients:
            assert await client.connect() == (True, None)
        for number, client in enumerate(clients):
            await client.send_to(text_data=f"song {number}")
            assert [await one.receive_from() for one in clients] == [
                f"now playing: song {number}"
            ] * 3
        for client in clients:
            await client.disconnect()

    async_to_sync(conversation)()


def test_leaves_the_group_after_an_exception_in_a_handler():
    async def conversation():
        first, second = stock_client(), stock_client()
        await first.connect()
        await second.connect()
        await second.send_input({"type": "no.such.handler"})
        with pytest.raises(ValueError, match="No handler for message type"):
            await second.wait()
        assert len(get_channel_layer().groups["jukebox"]) == 1
        await first.disconnect()
        assert "jukebox" not in get_channel_layer().groups

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator hides a missing StopConsumer, cannot cancel a consumer as a server does,
# and does not record the calls of the layer.
import asyncio

from lessons.workshop.judge import StrictCommunicator


def new_client():
    return StrictCommunicator(URLRouter(websocket_urlpatterns), PATH)


async def enter(client):
    assert await client.connect() == (True, None)
    client.expect()


async def test_the_message_leaves_one_consumer_and_reaches_the_other():
    async with new_client() as speaker, new_client() as listener:
        await enter(speaker)
        await enter(listener)
        await speaker.send_to(text_data="hi")
        calls = [event for event in speaker.transcript if event.lane == "layer"]
        assert [(event.message["type"], event.handler) for event in calls] == [
            ("group_add", "websocket_connect"),
            ("group_send", "websocket_receive"),
            ("jukebox.song", "jukebox_song"),
        ]
        received = [event for event in listener.transcript if event.lane == "layer"][-1]
        assert (received.message, received.handler) == (
            {"type": "jukebox.song", "title": "hi"},
            "jukebox_song",
        )


@pytest.mark.parametrize("frame", [{"text_data": ""}, {"bytes_data": b"hi"}])
async def test_a_frame_without_text_is_ignored(frame):
    async with new_client() as client:
        await enter(client)
        await client.send_to(**frame)
        client.expect()


async def test_no_member_receives_a_title_of_more_than_100_characters():
    async with new_client() as client, new_client() as member:
        await enter(client)
        await enter(member)
        for length in (101, 2**20, 100):
            await client.send_to(text_data="x" * length)
        sent = {"type": "websocket.send", "text": f"now playing: {'x' * 100}"}
        client.expect(sent)
        member.expect(sent)


async def test_joins_before_it_accepts():
    async with new_client() as client:
        await enter(client)
        order = [event.message["type"] for event in client.transcript]
        assert order.index("group_add") < order.index("websocket.accept")


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_leaves_the_group_however_the_connection_ends(layer, end):
    async with new_client() as witness, new_client() as client:
        await enter(witness)
        await enter(client)
        await getattr(client, end)()
        assert client.finished
        assert list(layer.groups["jukebox"]) == ["specific.check!1"]


async def test_survives_a_cancel_before_its_first_event():
    async with new_client() as client:
        await client.kill()
        assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006])
async def test_an_empty_group_is_deleted(layer, code):
    async with new_client() as client:
        await enter(client)
        await client.disconnect(code)
        assert not layer.groups


async def test_other_code_may_choose_a_song_even_if_no_client_is_connected():
    message = {"type": "jukebox.song", "title": "closing time"}
    await get_channel_layer().group_send("jukebox", message)
    async with new_client() as client:
        await enter(client)
        await get_channel_layer().group_send("jukebox", message)
        assert await client.receive_from() == "now playing: closing time"
        client.expect()
