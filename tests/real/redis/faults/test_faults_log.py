"""What the project's Daphne logs during an outage of Redis, while clients connect repeatedly."""

import asyncio
import re
import signal
from collections import Counter
from contextlib import asynccontextmanager
from unittest import mock

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne

CLIENTS = 10
TOO_LONG = "autobahn.exception.PayloadExceededError: tried to send WebSocket message"
PATHS = ("/ws/layers/redis/", "/ws/layers/worker/")


@pytest.fixture
def redis(redis_binaries):
    with RedisServer() as server:
        yield server


@pytest.fixture
def daphne(redis):
    with (
        mock.patch.dict("os.environ", REDIS_URL=redis.url),
        RealDaphne("project_server", "daphne") as server,
    ):
        yield server


@asynccontextmanager
async def open_client(daphne, path):
    host = f"127.0.0.1:{daphne.port}"
    options = {"origin": f"http://{host}", "proxy": None, "open_timeout": TEST_TIMEOUT}
    async with connect(f"ws://{host}{path}", **options) as client:
        yield client


async def end_of(daphne, path):
    """Connect, and return the close code, or the HTTP status of a rejection."""
    try:
        async with open_client(daphne, path) as client:
            return await code_of(client)
    except InvalidStatus as rejected:
        return rejected.response.status_code


async def code_of(client):
    async with asyncio.timeout(TEST_TIMEOUT):
        try:
            while True:
                await client.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code


async def live_through_an_outage(redis, daphne, path, connected, stopped, ends):
    """A client that was connected before the outage, and tries to connect again during it."""
    async with open_client(daphne, path) as client:
        await connected.wait()
        ends[path, await code_of(client)] += 1
    await stopped.wait()
    ends[path, await end_of(daphne, path)] += 1


async def test_an_outage_is_one_line_and_clients_are_closed_as_before(redis, daphne):
    connected, stopped, ends = asyncio.Barrier(CLIENTS + 1), asyncio.Event(), Counter()
    async with asyncio.TaskGroup() as clients:
        for number in range(CLIENTS):
            path = PATHS[number % len(PATHS)]
            clients.create_task(
                live_through_an_outage(redis, daphne, path, connected, stopped, ends)
            )
        await connected.wait()
        await asyncio.to_thread(redis.stop, signal.SIGKILL)
        stopped.set()
    half = CLIENTS // len(PATHS)
    assert ends == {
        (PATHS[0], 1000): half,
        (PATHS[1], 1011): half,
        **{(path, 500): half for path in PATHS},
    }

    redis.start()
    async with open_client(daphne, PATHS[0]) as client:
        await client.send("back")
        assert await client.recv() == "alarm: back"
    # Any other exception has its traceback. Daphne logs it after those of earlier connections.
    async with open_client(daphne, "/ws/sync/stop/") as client:
        await client.send("x" * 2**20)  # the answer has a prefix, so it is too long
        assert await code_of(client) == 1011
    await asyncio.to_thread(daphne.wait_for_line, TOO_LONG)
    errors = [line for line in daphne.lines if line.startswith("log ")]
    assert [re.split("[;:]", line)[0] for line in errors] == [
        "log Redis does not answer",
        "log Exception inside application",
    ]
    assert daphne.lines.count("Traceback (most recent call last):") == 1
