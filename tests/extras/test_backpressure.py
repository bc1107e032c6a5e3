"""What a consumer does without backpressure: confirmed frames, and a limit of waiting frames."""

import asyncio
import json
import time

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from daphne.ws_protocol import WebSocketProtocol

from lessons.extras.backpressure import InputLimit, PriceFeed
from tests.support.strict_communicator import StrictCommunicator


async def publish(*prices):
    for price in prices:
        await get_channel_layer().group_send("prices", {"type": "price.changed", "price": price})


async def received_prices(client):
    """The (key, price) pairs of the frames that have come until now."""
    frames = []
    while not await client.receive_nothing():
        frames.append(json.loads(await client.receive_from()))
    return [(frame["key"], frame["price"]) for frame in frames]


@pytest.fixture
async def client():
    async with StrictCommunicator(PriceFeed.as_asgi(), "/") as client:
        assert await client.connect() == (True, None)
        yield client


async def test_sends_each_price_while_the_client_confirms(client):
    for price in range(20):
        await publish(price)
        ((key, received),) = await received_prices(client)
        assert received == price
        await client.send_to(text_data=key)


async def test_sends_eight_frames_without_a_confirmation_and_then_only_the_newest_price(client):
    await publish(*range(20))
    frames = await received_prices(client)
    assert [price for _, price in frames] == [*range(8)]
    await client.send_to(text_data=frames[2][0])  # confirms three frames
    assert [price for _, price in await received_prices(client)] == [19]
    await publish(20, 21, 22)
    assert [price for _, price in await received_prices(client)] == [20, 21]


async def test_a_client_that_does_not_read_cannot_confirm(client):
    await publish(*range(20))
    frames = await received_prices(client)
    used = frames[0][0]
    await client.send_to(text_data=used)
    assert len(await received_prices(client)) == 1
    for text in ("1", "", "x" * 16, used):
        await client.send_to(text_data=text)
    await client.send_to(bytes_data=frames[1][0].encode())
    await publish(21)
    assert await received_prices(client) == []


async def test_closes_when_nothing_was_confirmed_for_ten_seconds(client):
    await publish(*range(9))
    frames = await received_prices(client)
    await asyncio.sleep(9)
    await client.send_to(text_data=frames[0][0])
    assert len(await received_prices(client)) == 1
    await asyncio.sleep(9)
    await publish(10)
    await client.settle()
    assert client.take_unread() == []
    await asyncio.sleep(2)
    await publish(11, 12)
    await client.settle()
    assert client.take_unread() == [{"type": "websocket.close", "code": 4408}]
    assert client.finished
    assert get_channel_layer().groups == {}


# The limit of waiting frames


class Slow(AsyncConsumer):
    """Handles a frame in one second."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await asyncio.sleep(1)
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


def limited():
    return StrictCommunicator(InputLimit(Slow.as_asgi(), limit=3), "/")


async def test_handles_all_frames_in_order_up_to_the_limit():
    async with limited() as client:
        await client.connect()
        for text in "abcd":  # one is handled, three wait
            await client.send_to(text_data=text)
        assert [await client.receive_from(timeout=2) for _ in range(4)] == [*"abcd"]
        await client.disconnect()
        assert client.finished


async def test_closes_with_4429_and_handles_no_frame_after_that():
    async with limited() as client:
        await client.connect()
        for text in "abcd":
            await client.send_to(text_data=text)
        assert client.take_unread() == []
        await client.send_to(text_data="e")
        assert client.take_unread() == [{"type": "websocket.close", "code": 4429}]
        await asyncio.sleep(5)
        client.deliver({"type": "websocket.receive", "text": "f"})
        await client.settle()
        assert client.take_unread() == []
        assert client.inbox.empty()
        await client.disconnect(4429)
        assert client.finished


async def test_an_exception_of_the_application_leaves_the_middleware():
    async def fails(scope, receive, send):
        raise LookupError((await receive())["text"])

    received = asyncio.Queue()
    received.put_nowait({"type": "websocket.receive", "text": "requested"})
    with pytest.raises(LookupError, match="requested"):
        await InputLimit(fails)({"type": "websocket"}, received.get, None)
    assert asyncio.all_tasks() == {asyncio.current_task()}


# Daphne


def test_a_client_that_sends_gets_no_ping_from_daphne():
    """Daphne sends a ping after 20 s without a frame of the client."""
    protocol = WebSocketProtocol()
    protocol.client_addr, protocol.last_ping = None, 0
    protocol.application_queue = asyncio.Queue()
    protocol.onMessage(b"hello", isBinary=False)
    assert time.time() - protocol.last_ping < 10
