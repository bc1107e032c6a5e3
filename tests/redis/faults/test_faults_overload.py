"""Too much, too big, too slow: who loses what."""

import asyncio
import socket

import pytest
from channels.exceptions import ChannelFull
from channels_redis.core import RedisChannelLayer
from redis.exceptions import MaxConnectionsError
from websockets.asyncio.client import connect

from lessons.core.redis_server import RedisServer
from tests.support.redis.room_clients import RealChat, all_hear, crowd

LAYERS = ["memory", "redis", "pubsub"]
CAPACITY = 100


@pytest.fixture(scope="module")
def redis(redis_binaries):
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def daphne(redis):
    with RealChat(redis.url) as server:
        yield server


async def test_a_client_that_does_not_read_does_not_slow_down_a_hundred_others(daphne):
    words = [f"{number} {'x' * 40_000}" for number in range(10)]
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", daphne.port))
    path = "/redis/Chat/slow-reader"
    url = f"ws://127.0.0.1:{daphne.port}{path}"
    async with (
        connect(url, sock=narrow, max_queue=1, compression=None, proxy=None) as slow,
        crowd(CAPACITY, daphne, path) as fast,
    ):
        for word in words:
            await fast[0].say(word)
        await all_hear(fast, words[-1])
        assert all(guest.heard == words for guest in fast)
        # Daphne has kept it all for the slow one, in its own memory.
        assert [await slow.recv() for _ in words] == words


@pytest.mark.parametrize(
    "layer, kept",
    [
        ("memory", range(1, CAPACITY + 1)),
        ("redis", range(10, 110)),
        ("pubsub", range(1, 110)),
    ],
)
async def test_a_slow_handler_loses_only_its_own_messages(daphne, layer, kept):
    words = [str(number) for number in range(110)]
    async with (
        crowd(1, daphne, f"/{layer}/Slow/{layer}") as [slow],
        crowd(2, daphne, f"/{layer}/Chat/{layer}") as fast,
    ):
        for word in words:  # one after the other: a burst would fill the process's own channel
            await fast[0].say(word)
            await all_hear(fast, word)
        assert slow.heard == []
        async with crowd(1, daphne, f"/{layer}/Slow/other") as [other]:
            await other.say(f"go {layer}")
        await slow.hears(str(kept[-1]))
        assert await slow.hears_only() == ["0", *map(str, kept)]
        assert all(guest.heard == words for guest in fast)


@pytest.mark.parametrize("layer", ["memory", "redis"])
async def test_a_client_that_sends_to_a_full_channel_is_closed_and_the_others_continue(
    daphne, layer
):
    async with (
        crowd(1, daphne, f"/{layer}/Flood/full") as [flood],
        crowd(3, daphne, f"/{layer}/Chat/full") as others,
    ):
        await flood.say(str(CAPACITY))
        await flood.hears("sent")
        await flood.say("1")
        assert await flood.closed_with() == 1011
        await others[0].say("still here")
        await all_hear(others, "still here")
    daphne.wait_for_line("channels.exceptions.ChannelFull")


async def test_on_pub_sub_no_channel_is_ever_full(daphne):
    async with crowd(1, daphne, "/pubsub/Flood/full") as [flood]:
        await flood.say(str(CAPACITY + 1))
        await flood.hears("sent")


@pytest.mark.parametrize("layer", LAYERS)
async def test_a_mebibyte_reaches_all_clients_and_one_byte_more_closes_the_sender(daphne, layer):
    text = "x" * 2**20
    async with crowd(5, daphne, f"/{layer}/Chat/big") as [sender, *others]:
        await sender.say(text)
        await all_hear([sender, *others], text)
        await sender.say(text + "x")
        assert await sender.closed_with() == 1006
        await others[0].say("still here")
        await all_hear(others, "still here")
        assert all(guest.heard == [text, "still here"] for guest in others)


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


async def all_at_once(layer, count):
    """The errors of so many who join at the same moment."""
    joins = (layer.group_add("all", f"specific.x!{number}") for number in range(count))
    done = await asyncio.gather(*joins, return_exceptions=True)
    return [str(one) for one in done if isinstance(one, MaxConnectionsError)]


async def test_a_hundred_and_one_joins_at_once_need_a_larger_connection_pool(layer_of):
    assert await all_at_once(layer_of(), 101) == ["Too many connections"]
    assert await all_at_once(layer_of(max_connections=1000), 110) == []


async def test_a_hundred_messages_for_a_hundred_clients_fill_their_process(layer_of):
    layer = layer_of()
    names = [await layer.new_channel() for _ in range(CAPACITY + 1)]
    for name in names[:-1]:
        await layer.send(name, {"type": "chat.message"})
    with pytest.raises(ChannelFull):
        await layer.send(names[-1], {"type": "chat.message"})
