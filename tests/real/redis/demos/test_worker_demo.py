"""Lesson 15's worked example with the project's `runworker` and a real Redis."""

import os
from unittest import mock

import pytest
from channels.layers import channel_layers
from channels.testing import WebsocketCommunicator
from channels_redis.core import RedisChannelLayer

from layers_demo.consumers import Primes
from lessons.workshop.course.lesson_index import PROJECT_DIR
from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.processes import start_with_pipe
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram


@pytest.fixture
async def redis(redis_binaries):
    """A private Redis, because the project's layer has the prefix that every project has."""
    with RedisServer() as server:
        layer = RedisChannelLayer([{"address": server.url, "socket_timeout": None}])
        with mock.patch.dict(channel_layers.backends, default=layer):
            yield server
        await layer.close_pools()


class PrimesWorker(RunningProgram):
    def __init__(self, redis_url):
        self.env = {**os.environ, "REDIS_URL": redis_url}

    def start(self):
        command = ["manage.py", "runworker", "primes"]
        return start_with_pipe(command, cwd=PROJECT_DIR, env=self.env)


async def connected_client():
    client = WebsocketCommunicator(Primes.as_asgi(), "/ws/layers/worker/")
    assert await client.connect(TEST_TIMEOUT) == (True, None)
    return client


async def test_jobs_wait_for_runworker_and_each_answer_reaches_all_connections(redis):
    first, second = await connected_client(), await connected_client()
    await first.send_to(text_data="91")
    await second.send_to(text_data="hello")
    assert await second.receive_from(TEST_TIMEOUT) == "Send a number from 1 to 999999999999."
    with PrimesWorker(redis.url):
        for client in (first, second):
            assert await client.receive_from(TEST_TIMEOUT) == "91 = 7 * 13"
        await second.send_to(text_data="999999999989")
        for client in (first, second):
            assert await client.receive_from(TEST_TIMEOUT) == "999999999989 = 999999999989"
    await first.disconnect()
    await second.disconnect()
