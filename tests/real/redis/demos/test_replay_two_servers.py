"""Lesson 22 on two real Daphnes: a client that changes the server misses nothing."""

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from unittest import mock

import pytest
from channels_redis.core import RedisChannelLayer
from django.db import connections
from redis import Redis
from websockets.asyncio.client import connect

from db_demo.models import Entry
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne

ENTRIES = 12  # of each writer


@pytest.fixture
async def servers(redis_binaries):
    """Two servers on one database, the address of their Redis, and the database."""
    with RedisServer() as redis:
        async with fresh_database() as database:
            file = connections.databases["default"]["NAME"]
            with mock.patch.dict("os.environ", REDIS_URL=redis.url):
                one, other = (RealDaphne("db_demo_server", file, "demos") for _ in range(2))
                with one, other:
                    yield [one, other], redis.url, database


@asynccontextmanager
async def reader(server, last=0):
    url = f"ws://127.0.0.1:{server.port}/ws/db/replay/?after={last}"
    async with connect(url, proxy=None, open_timeout=TEST_TIMEOUT) as client:
        yield client


async def next_of(client):
    return json.loads(await client.recv())


async def write(server, name):
    """Send each entry when the one before was counted. Return the last counts."""
    async with reader(server) as client:
        counts = await next_of(client)
        for number in range(ENTRIES):
            await client.send(f"{name} {number}")
            while counts["new"] <= number:
                counts = await next_of(client)
    return counts


async def count_on_one_server(server, wanted):
    """Return all counts that a client receives until it has `wanted` new entries."""
    async with reader(server) as client:
        received = [await next_of(client)]
        while received[-1]["new"] < wanted:
            received.append(await next_of(client))
    return received


async def count_on_changing_servers(servers, wanted):
    """Change the server after every third frame. The connection is cut without a close frame."""
    read = last = 0
    turns = itertools.cycle(servers)
    while read < wanted:
        async with reader(next(turns), last) as client:
            for _ in range(3):
                counts = await next_of(client)
                if read + counts["new"] == wanted:
                    break
            read, last = read + counts["new"], counts["last"] or last
            client.transport.abort()
    return read, last


async def send_later_messages(redis_url):
    """Send messages until cancelled, as later entries would. Without them, the test could end with
    a message that was lost because another client of its process left.
    """
    layer = RedisChannelLayer(hosts=[{"address": redis_url, "socket_timeout": None}])
    try:
        while True:
            await layer.group_send("entries", {"type": "entry.saved"})
            await asyncio.sleep(0.2)
    finally:
        await layer.close_pools()


async def test_every_reader_counts_every_entry_once(servers):
    [one, other], redis_url, database = servers
    wanted = 2 * ENTRIES
    later = asyncio.create_task(send_later_messages(redis_url))
    async with asyncio.timeout(TEST_TIMEOUT), asyncio.TaskGroup() as group:
        for server in (one, other):
            group.create_task(write(server, f"{server.port}"))
        staying = group.create_task(count_on_one_server(other, wanted))
        changing = [
            group.create_task(count_on_changing_servers([one, other], wanted)),
            group.create_task(count_on_changing_servers([other, one], wanted)),
        ]
    later.cancel()
    await asyncio.wait([later])
    numbers = [counts["new"] for counts in staying.result()]
    assert numbers == sorted(set(numbers))
    assert staying.result()[-1] == {"new": wanted, "last": wanted}
    assert [task.result() for task in changing] == [(wanted, wanted)] * 2

    # Redis loses the group, so no client is notified. A client that connects later misses nothing.
    async with asyncio.timeout(TEST_TIMEOUT):
        async with reader(one, wanted) as client:
            with Redis.from_url(redis_url) as redis:
                redis.flushall()
            await client.send("without notification")
            while await database.do(Entry.objects.count) == wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        async with reader(other, wanted) as back:
            assert await next_of(back) == {"new": 1, "last": wanted + 1}
