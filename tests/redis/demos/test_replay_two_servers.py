"""Lesson 22 on two real Daphnes: a client that changes the server misses nothing."""

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from unittest import mock

import pytest
from django.db import connections
from redis import Redis
from websockets.asyncio.client import connect

from lessons.core.redis_server import RedisServer
from lessons.simulator.database import fresh_database
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne

LINES = 12  # of each writer


@pytest.fixture
async def servers(redis_binaries):
    """Two servers on one database, and the address of their Redis."""
    with RedisServer() as redis:
        async with fresh_database():
            file = connections.databases["default"]["NAME"]
            with mock.patch.dict("os.environ", REDIS_URL=redis.url):
                one, other = (RealDaphne("db_demo_server", file, "demos") for _ in range(2))
                with one, other:
                    yield [one, other], redis.url


@asynccontextmanager
async def reader(server, last=0):
    url = f"ws://127.0.0.1:{server.port}/ws/db/replay/?after={last}"
    async with connect(url, proxy=None) as client:
        yield client


async def next_of(client):
    return json.loads(await client.recv())


async def write(server, name):
    """Send each line when the one before has come back. Returns all lines received."""
    seen = []
    async with reader(server) as client:
        for number in range(LINES):
            await client.send(f"{name} {number}")
            while not seen or seen[-1]["text"] != f"{name} {number}":
                seen.append(await next_of(client))
    return seen


async def read_on_one_server(server, count):
    async with reader(server) as client:
        return [await next_of(client) for _ in range(count)]


async def read_on_changing_servers(servers, count):
    """Change the server after every third line. The connection is cut without a close frame."""
    seen = []
    turns = itertools.cycle(servers)
    while len(seen) < count:
        async with reader(next(turns), seen[-1]["id"] if seen else 0) as client:
            for _ in range(min(3, count - len(seen))):
                seen.append(await next_of(client))
            client.transport.abort()
    return seen


async def test_every_reader_receives_every_line_once_and_in_order(servers):
    [one, other], redis_url = servers
    async with asyncio.timeout(TEST_TIMEOUT), asyncio.TaskGroup() as group:
        writers = [group.create_task(write(server, f"{server.port}")) for server in (one, other)]
        readers = [
            group.create_task(read_on_one_server(other, 2 * LINES)),
            group.create_task(read_on_changing_servers([one, other], 2 * LINES)),
            group.create_task(read_on_changing_servers([other, one], 2 * LINES)),
        ]
    lines = readers[0].result()
    assert [line["id"] for line in lines] == list(range(1, 2 * LINES + 1))
    assert [reader.result() for reader in readers] == [lines] * 3
    for writer in writers:
        assert writer.result() == lines[: len(writer.result())]

    # Redis loses the group, so no client is notified. A client that connects later misses nothing.
    async with asyncio.timeout(TEST_TIMEOUT):
        async with reader(one, 2 * LINES) as client:
            with Redis.from_url(redis_url) as redis:
                redis.flushall()
            await client.send("without notification")
        async with reader(other, 2 * LINES) as back:
            assert (await next_of(back))["text"] == "without notification"
