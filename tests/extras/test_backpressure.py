"""What a consumer does without backpressure: confirmed frames, and a limit of waiting frames."""

import asyncio

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.urls import path

from lessons.extras.backpressure import InputLimit, PriceFeed


class Slow(AsyncConsumer):
    """Handles a frame in one second."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await asyncio.sleep(1)
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


@pytest.fixture
def asgi_application():
    limited = InputLimit(Slow.as_asgi(), limit=3)
    return URLRouter([path("prices/", PriceFeed.as_asgi()), path("slow/", limited)])


@pytest.fixture
def client(world):
    return world.connect("/prices/")


def publish(world, *prices):
    for price in prices:
        message = {"type": "price.changed", "price": price}
        world.call(get_channel_layer().group_send, "prices", message)


def prices(client):
    return [frame["price"] for frame in client.received_json]


def key(client, number):
    return client.received_json[number]["key"]


def test_sends_each_price_while_the_client_confirms(world, client):
    for price in range(20):
        publish(world, price)
        client.send(key(client, -1))
    assert prices(client) == [*range(20)]


def test_sends_eight_frames_without_a_confirmation_and_then_only_the_newest_price(world, client):
    publish(world, *range(20))
    assert prices(client) == [*range(8)]
    client.send(key(client, 2))  # confirms three frames
    assert prices(client)[8:] == [19]
    publish(world, 20, 21, 22)
    assert prices(client)[9:] == [20, 21]


def test_a_client_that_does_not_read_cannot_confirm(world, client):
    publish(world, *range(20))
    used = key(client, 0)
    client.send(used)
    assert prices(client)[8:] == [19]
    for text in ("1", "", "x" * 16, used):
        client.send(text)
    client.send(bytes=key(client, 1).encode())
    publish(world, 21)
    assert prices(client)[9:] == []


def test_closes_when_nothing_was_confirmed_for_ten_seconds(world, client):
    publish(world, *range(9))
    world.run(seconds=9)
    client.send(key(client, 0))
    assert prices(client)[8:] == [8]
    world.run(seconds=9)
    publish(world, 10)
    assert client.closed is None
    world.run(seconds=2)
    publish(world, 11, 12)
    assert (client.closed, prices(client)[9:]) == (4408, [])
    assert get_channel_layer().groups == {}


# The limit of waiting frames


def test_handles_all_frames_in_order_up_to_the_limit(world):
    client = world.connect("/slow/")
    for text in "abcd":  # one is handled, three wait
        client.send(text)
    world.run(seconds=4)
    assert client.received == [*"abcd"]


@pytest.mark.parametrize("more", ["e", "ef"])  # the client has not read the close yet
def test_closes_with_4429_and_handles_no_frame_after_that(world, more):
    client = world.connect("/slow/")
    for text in "abcd":
        client.send(text)
    assert client.closed is None
    with world.together():
        for text in more:
            client.send(text)
    world.run(seconds=5)
    assert (client.closed, client.received) == (4429, [])


async def test_an_exception_of_the_application_leaves_the_middleware():
    async def fails(scope, receive, send):
        raise LookupError((await receive())["text"])

    received = asyncio.Queue()
    received.put_nowait({"type": "websocket.receive", "text": "requested"})
    with pytest.raises(LookupError, match="requested"):
        await InputLimit(fails)({"type": "websocket"}, received.get, None)
    assert asyncio.all_tasks() == {asyncio.current_task()}
