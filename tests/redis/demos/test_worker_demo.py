"""Lesson 15's worked example as it is served: the project's own `runworker`, on a real Redis."""

import os
import subprocess
import sys
from unittest import mock

import pytest
from channels.layers import channel_layers
from channels.testing import WebsocketCommunicator
from channels_redis.core import RedisChannelLayer

from layers_demo.consumers import Primes
from lessons.core.catalogue import PROJECT_DIR
from lessons.core.redis_server import RedisServer
from tests.support.programs.worker_program import PATIENCE, RealWorker


@pytest.fixture
async def redis(redis_binaries):
    """A Redis of the test's own: the project's layer has the prefix that every project has."""
    with RedisServer() as server:
        layer = RedisChannelLayer([{"address": server.url, "socket_timeout": None}])
        with mock.patch.dict(channel_layers.backends, default=layer):
            yield server
        await layer.close_pools()


def runworker(redis_url):
    return subprocess.Popen(
        [sys.executable, "manage.py", "runworker", "primes"],
        cwd=PROJECT_DIR,
        env={**os.environ, "REDIS_URL": redis_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


async def enter():
    client = WebsocketCommunicator(Primes.as_asgi(), "/ws/layers/worker/")
    assert await client.connect(PATIENCE) == (True, None)
    return client


async def ask(client, text):
    await client.send_to(text_data=text)
    assert await client.receive_from(PATIENCE) == "handed in"


async def test_jobs_wait_for_runworker_and_each_answer_finds_its_connection(redis):
    first, second = await enter(), await enter()
    await ask(first, "91")
    await ask(second, "hello")
    with RealWorker(runworker(redis.url)):
        assert await first.receive_from(PATIENCE) == "91 = 7 * 13"
        answer = "hello: not a number from 2 to 999999999999"
        assert await second.receive_from(PATIENCE) == answer
        await ask(second, "999999999989")
        assert await second.receive_from(PATIENCE) == "999999999989 = 999999999989"
        assert await first.receive_nothing()
    await first.disconnect()
    await second.disconnect()
