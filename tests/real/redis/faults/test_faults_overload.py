"""Which messages are lost when there are too many, too large or too slow ones."""

import asyncio
import socket

import pytest
from channels.exceptions import ChannelFull
from channels_redis.core import RedisChannelLayer
from redis.exceptions import MaxConnectionsError
from websockets.asyncio.client import connect

from lessons.workshop.setup.redis_server import RedisServer
from tests.support.redis.room_clients import RoomServer, all_receive, connected_clients

LAYERS = ["memory", "redis", "pubsub"]
CAPACITY = 100


@pytest.fixture(scope="module")
def redis(redis_binaries):
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def daphne(redis):
    with RoomServer(redis.url) as server:
        yield server


async def test_a_client_that_does_not_read_does_not_slow_down_a_hundred_others(daphne):
    texts = [f"{number} {'x' * 40_000}" for number in range(10)]
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", daphne.port))
    path = "/redis/Chat/slow-reader"
    url = f"ws://127.0.0.1:{daphne.port}{path}"
    async with (
        connect(url, sock=narrow, max_queue=1, compression=None, proxy=None) as slow,
        connected_clients(CAPACITY, daphne, path) as fast,
    ):
        for text in texts:
            await fast[0].send(text)
        await all_receive(fast, texts[-1])
        assert all(client.received == texts for client in fast)
        # Daphne has kept all texts for the slow client, in Daphne's memory.
        assert [await slow.recv() for _ in texts] == texts


@pytest.mark.parametrize(
    "layer, kept",
    [
        ("memory", range(1, CAPACITY + 1)),
        ("redis", range(10, 110)),
        ("pubsub", range(1, 110)),
    ],
)
async def test_a_slow_handler_loses_only_its_own_messages(daphne, layer, kept):
    texts = [str(number) for number in range(110)]
    async with (
        connected_clients(1, daphne, f"/{layer}/Slow/{layer}") as [slow],
        connected_clients(2, daphne, f"/{layer}/Chat/{layer}") as fast,
    ):
        for text in texts:  # one after the other: a burst would fill the channel of the process
            await fast[0].send(text)
            await all_receive(fast, text)
        assert slow.received == []
        async with connected_clients(1, daphne, f"/{layer}/Slow/other") as [other]:
            await other.send(f"go {layer}")
        await slow.wait_for(str(kept[-1]))
        assert await slow.all_received() == ["0", *map(str, kept)]
        assert all(client.received == texts for client in fast)


@pytest.mark.parametrize("layer", ["memory", "redis"])
async def test_a_client_that_sends_to_a_full_channel_is_closed_and_the_others_continue(
    daphne, layer
):
    async with (
        connected_clients(1, daphne, f"/{layer}/Flood/full") as [flood],
        connected_clients(3, daphne, f"/{layer}/Chat/full") as others,
    ):
        await flood.send(str(CAPACITY))
        await flood.wait_for("sent")
        await flood.send("1")
        assert await flood.close_code() == 1011
        await others[0].send("still here")
        await all_receive(others, "still here")
    daphne.wait_for_line("channels.exceptions.ChannelFull")


async def test_on_pub_sub_no_channel_is_ever_full(daphne):
    async with connected_clients(1, daphne, "/pubsub/Flood/full") as [flood]:
        await flood.send(str(CAPACITY + 1))
        await flood.wait_for("sent")


@pytest.mark.parametrize("layer", LAYERS)
async def test_a_mebibyte_reaches_all_clients_and_one_byte_more_closes_the_sender(daphne, layer):
    text = "x" * 2**20
    async with connected_clients(5, daphne, f"/{layer}/Chat/big") as [sender, *others]:
        await sender.send(text)
        await all_receive([sender, *others], text)
        await sender.send(text + "x")
        assert await sender.close_code() == 1006
        await others[0].send("still here")
        await all_receive(others, "still here")
        assert all(client.received == [text, "still here"] for client in others)


@pytest.fixture
async def layer_of(redis):
    made = []

    def make(**options):
        host = {"address": redis.url, "socket_timeout": None, **options}
        made.append(RedisChannelLayer(hosts=[host], prefix="pool"))
        return made[-1]

    yield make
    for layer in made:
        await layer.flush()


async def errors_of_joins(layer, count):
    """The errors of `count` channels that join a group at the same moment."""
    joins = (layer.group_add("all", f"specific.x!{number}") for number in range(count))
    done = await asyncio.gather(*joins, return_exceptions=True)
    return [str(one) for one in done if isinstance(one, MaxConnectionsError)]


async def test_a_hundred_and_one_joins_at_once_need_a_larger_connection_pool(layer_of):
    assert await errors_of_joins(layer_of(), 101) == ["Too many connections"]
    assert await errors_of_joins(layer_of(max_connections=1000), 110) == []


async def test_a_hundred_messages_for_a_hundred_clients_fill_their_process(layer_of):
    layer = layer_of()
    names = [await layer.new_channel() for _ in range(CAPACITY + 1)]
    for name in names[:-1]:
        await layer.send(name, {"type": "chat.message"})
    with pytest.raises(ChannelFull):
        await layer.send(names[-1], {"type": "chat.message"})
