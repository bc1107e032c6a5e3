"""Lesson 14's worked example: a room that ends with a code when its layer does."""

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


def visitor():
    return StrictCommunicator(SharedRoom.as_asgi(), PATH)


async def enter(client):
    assert await client.connect() == (True, None)
    client.expect()


def said(text):
    return {"type": "websocket.send", "text": text}


async def test_what_one_says_all_hear(redis):
    async with visitor() as first, visitor() as second:
        await enter(first)
        await enter(second)
        await first.send_to(text_data="hello")
        first.expect(said("hello"))
        second.expect(said("hello"))
        await second.send_to(bytes_data=b"\0")
        first.expect(said(""))
        second.expect(said(""))


async def test_joins_before_the_accept_and_leaves_at_the_end(redis):
    async with visitor() as client:
        await enter(client)
        crossed = [event.message["type"] for event in client.transcript]
        assert crossed[2:] == ["group_add", "websocket.accept"]
        assert [len(members) for members in redis.layers["default"].groups.values()] == [1]
        await client.disconnect()
        assert redis.layers["default"].groups == {}


@pytest.mark.parametrize("end", ["crash", "kill"])
async def test_leaves_however_it_ends(redis, end):
    async with visitor() as client:
        await enter(client)
        await getattr(client, end)()
        assert redis.layers["default"].groups == {}


async def test_an_outage_closes_with_a_code_and_is_raised_for_the_log(redis):
    async with visitor() as client:
        await enter(client)
        await redis.stop()
        client.expect(TRY_AGAIN)
        with pytest.raises(ConnectionError, match=r"^Connection closed by server\.$"):
            await client.future


async def test_who_comes_during_an_outage_is_accepted_to_be_told(redis):
    await redis.stop()
    async with visitor() as client:
        await enter_to_be_told(client)


async def enter_to_be_told(client):
    assert await client.connect() == (True, None)
    client.expect(TRY_AGAIN)


async def test_a_text_that_cannot_be_sent_closes_its_sender_alone(redis):
    async with visitor() as sender, visitor() as listener:
        await enter(sender)
        await enter(listener)
        redis.stop_group_host()
        await sender.send_to(text_data="hello?")
        sender.expect(TRY_AGAIN)
        listener.expect()
        assert not listener.finished


async def test_those_who_come_back_hear_each_other(redis):
    async with visitor() as early:
        await enter(early)
        await redis.stop()
        early.expect(TRY_AGAIN)
    redis.start()
    async with visitor() as first, visitor() as second:
        await enter(first)
        await enter(second)
        await first.send_to(text_data="back")
        second.expect(said("back"))


async def test_is_routed_at_its_path(redis):
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        await enter(client)
