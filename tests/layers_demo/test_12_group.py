"""Lesson 12: the clients of Jukebox are one group. Each hears what any of them chooses.

A consumer leaves the group however its connection ends.
"""

import pytest
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

from layers_demo.asgi import application


async def connect():
    client = WebsocketCommunicator(application, "/ws/layers/group/lobby/")
    assert await client.connect() == (True, None)
    return client


def members():
    return len(get_channel_layer().groups.get("lobby", []))


async def test_every_client_hears_each_song():
    clients = [await connect(), await connect(), await connect()]
    for number, client in enumerate(clients):
        await client.send_to(text_data=f"song {number}")
        heard = [await one.receive_from() for one in clients]
        assert heard == [f"now playing: song {number}"] * 3
    for client in clients:
        await client.disconnect()


@pytest.mark.parametrize("payload", [{"text": ""}, {"bytes": b"hi"}, {"text": "x" * 101}])
async def test_no_client_hears_an_empty_or_a_long_title_or_bytes(payload):
    client, member = await connect(), await connect()
    await client.send_input({"type": "websocket.receive", **payload})
    await client.send_to(text_data="x" * 100)
    for one in (client, member):
        assert await one.receive_from() == f"now playing: {'x' * 100}"
        await one.disconnect()


async def test_other_code_may_choose_a_song_even_if_no_client_is_connected():
    song = {"type": "jukebox.song", "title": "closing time"}
    await get_channel_layer().group_send("lobby", song)
    client = await connect()
    await get_channel_layer().group_send("lobby", song)
    assert await client.receive_from() == "now playing: closing time"
    assert await client.receive_nothing(timeout=0.02)
    await client.disconnect()


async def test_leaves_the_group_when_the_client_leaves():
    first, second = await connect(), await connect()
    await second.disconnect()
    assert members() == 1
    await first.disconnect()
    assert members() == 0


async def test_leaves_the_group_after_an_exception_in_a_handler():
    client = await connect()
    await client.send_input({"type": "no.such.handler"})
    with pytest.raises(ValueError, match="No handler for message type"):
        await client.wait()
    assert members() == 0


async def test_leaves_the_group_when_the_server_cancels_the_consumer():
    client = await connect()
    client.stop()  # cancels the consumer, as a server that stops does
    await client.wait()
    assert members() == 0
