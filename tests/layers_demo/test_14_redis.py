"""Lesson 14, SharedRoom: it closes with a code when the layer is unreachable."""

import pytest
from channels.routing import URLRouter
from redis.exceptions import ConnectionError

from layers_demo.consumers import SharedRoom
from layers_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator
from lessons.simulator.channel_layer import fake_redis

PATH = "/ws/layers/redis/"
TRY_AGAIN = {"type": "websocket.close", "code": 4013}


@pytest.fixture
def redis():
    with fake_redis() as server:
        yield server


def new_client():
    return StrictCommunicator(SharedRoom.as_asgi(), PATH)


async def enter(client):
    assert await client.connect() == (True, None)
    client.expect()


def text_frame(text):
    return {"type": "websocket.send", "text": text}


async def test_every_client_receives_each_text(redis):
    async with new_client() as first, new_client() as second:
        await enter(first)
        await enter(second)
        await first.send_to(text_data="hello")
        first.expect(text_frame("hello"))
        second.expect(text_frame("hello"))
        await second.send_to(bytes_data=b"\0")
        first.expect(text_frame(""))
        second.expect(text_frame(""))


async def test_joins_before_the_accept_and_leaves_at_the_end(redis):
    async with new_client() as client:
        await enter(client)
        types = [event.message["type"] for event in client.transcript]
        assert types[2:] == ["group_add", "websocket.accept"]
        assert [len(members) for members in redis.layers["default"].groups.values()] == [1]
        await client.disconnect()
        assert redis.layers["default"].groups == {}


@pytest.mark.parametrize("end", ["crash", "kill"])
async def test_leaves_the_group_however_the_connection_ends(redis, end):
    async with new_client() as client:
        await enter(client)
        await getattr(client, end)()
        assert redis.layers["default"].groups == {}


async def test_an_outage_closes_with_a_code_and_is_raised_for_the_log(redis):
    async with new_client() as client:
        await enter(client)
        await redis.stop()
        client.expect(TRY_AGAIN)
        with pytest.raises(ConnectionError, match=r"^Connection closed by server\.$"):
            await client.future


async def test_a_client_during_an_outage_is_accepted_and_closed_with_a_code(redis):
    await redis.stop()
    async with new_client() as client:
        await connect_during_outage(client)


async def connect_during_outage(client):
    assert await client.connect() == (True, None)
    client.expect(TRY_AGAIN)


async def test_a_text_that_cannot_be_sent_closes_only_its_sender(redis):
    async with new_client() as sender, new_client() as listener:
        await enter(sender)
        await enter(listener)
        redis.stop_group_host()
        await sender.send_to(text_data="hello?")
        sender.expect(TRY_AGAIN)
        listener.expect()
        assert not listener.finished


async def test_clients_that_return_after_an_outage_reach_each_other(redis):
    async with new_client() as early:
        await enter(early)
        await redis.stop()
        early.expect(TRY_AGAIN)
    redis.start()
    async with new_client() as first, new_client() as second:
        await enter(first)
        await enter(second)
        await first.send_to(text_data="back")
        second.expect(text_frame("back"))


async def test_is_routed_at_its_path(redis):
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        await enter(client)
