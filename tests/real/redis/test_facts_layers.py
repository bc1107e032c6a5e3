"""Lesson 14's facts about layers that need no server process: keys, loops, connections."""

import asyncio
import gc
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis.exceptions
from asgiref.sync import async_to_sync
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from cryptography.fernet import InvalidToken
from redis import asyncio as aioredis

from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.recording.events import error_text
from lessons.workshop.setup.redis_server import RedisServer

SECRET = {"type": "chat.said", "text": "hush"}


@pytest.fixture
async def layer(redis_url):
    """`layer(keys=["a"])`: the layer of one more process. All layers of a test share a prefix."""
    made, prefix = [], f"facts-{uuid.uuid4().hex}-"

    def make(keys=None, url=redis_url):
        hosts = [{"address": url, "socket_timeout": None}]
        made.append(RedisChannelLayer(hosts, prefix, symmetric_encryption_keys=keys))
        return made[-1]

    yield make
    for one in made:
        await one.close_pools()


@pytest.mark.parametrize(("keys", "is_readable"), [(None, True), (["a key"], False)])
async def test_without_a_key_redis_holds_readable_messages(layer, redis_url, keys, is_readable):
    sender = layer(keys)
    await sender.send("jobs", SECRET)
    async with aioredis.from_url(redis_url) as client:
        [held] = await client.zrange(f"{sender.prefix}jobs", 0, -1)
    assert (b"hush" in held, b"chat.said" in held) == (is_readable, is_readable)
    assert await layer(keys).receive("jobs") == SECRET


async def test_a_key_is_changed_by_putting_the_new_one_first(layer):
    await layer(["old"]).send("jobs", SECRET)
    both = layer(["new", "old"])
    assert await both.receive("jobs") == SECRET
    await both.send("jobs", SECRET)
    with pytest.raises(InvalidToken) as raised:
        await layer(["old"]).receive("jobs")
    assert str(raised.value) == ""


async def test_a_client_that_leaves_can_lose_a_message_for_another_client_of_its_process(
    layer, redis_binaries
):
    """One reader fetches the messages of all clients of its process, and hands them out."""
    with RedisServer() as server:
        here = layer(url=server.url)
        leaving, staying = await here.new_channel(), await here.new_channel()
        fetching = asyncio.ensure_future(here.receive(leaving))
        async with aioredis.from_url(server.url) as client:
            while not (await client.info("clients"))["blocked_clients"]:
                pass
        waiting = asyncio.ensure_future(here.receive(staying))

        async def send_from_another_process():
            other = layer(url=server.url)
            await other.send(staying, SECRET)
            await other.close_pools()

        with ThreadPoolExecutor(1) as pool:  # here the loop stands still, and reads no answer
            pool.submit(asyncio.run, send_from_another_process()).result()
        fetching.cancel()
        await asyncio.wait([fetching])
        await here.send(staying, {"type": "a.later"})
        assert await waiting == {"type": "a.later"}
        await here.close_pools()


def test_redis_py_stops_reading_as_soon_as_the_layer_does():
    """So an idle consumer would end with an error. The settings have `"socket_timeout": None`."""
    assert aioredis.Connection().socket_timeout == RedisChannelLayer.brpop_timeout == 5


def run_in_new_loop(send):
    return lambda *arguments: asyncio.run(send(*arguments))


@pytest.mark.parametrize("kind", [RedisChannelLayer, RedisPubSubChannelLayer])
@pytest.mark.parametrize("call", [async_to_sync, run_in_new_loop])
def test_a_layer_connects_again_in_each_event_loop(redis_url, kind, call):
    layer = kind([{"address": redis_url, "socket_timeout": None}], f"loops-{uuid.uuid4().hex}-")
    for _ in range(2):
        call(layer.group_send)("room", {"type": "room.message"})


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_redis_client_fails_in_a_second_event_loop(redis_url):
    client = aioredis.Redis.from_url(redis_url)
    asyncio.run(client.ping())
    with pytest.raises(RuntimeError) as failure:
        asyncio.run(client.ping())
    finding = Finding("exception", raised=error_text(failure.value))
    assert diagnose(finding).diagnosis == "loop-closed"
    del client, failure
    gc.collect()  # it warns of the socket that the first loop did not close, in this test only


@pytest.mark.parametrize(
    ("options", "count", "errors"),
    [({}, 101, ["Too many connections"]), ({"max_connections": 1000}, 110, [])],
)
async def test_a_hundred_and_one_joins_at_once_need_a_larger_connection_pool(
    redis_url, options, count, errors
):
    host = {"address": redis_url, "socket_timeout": None, **options}
    layer = RedisChannelLayer(hosts=[host], prefix="pool")
    joins = (layer.group_add("all", f"specific.x!{number}") for number in range(count))
    done = await asyncio.gather(*joins, return_exceptions=True)
    raised = [str(one) for one in done if isinstance(one, redis.exceptions.MaxConnectionsError)]
    assert raised == errors
    await layer.flush()
