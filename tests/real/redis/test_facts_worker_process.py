"""Which jobs a real runworker loses when it is stopped, and how it ends: facts of lesson 15."""

import asyncio
import secrets
import signal

import pytest
from channels_redis.core import RedisChannelLayer

from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram

HOLD = {"type": "job.hold"}


@pytest.fixture
async def run():
    """`run(url)`: a worker of the channel `jobs` in this Redis, and the layer that it uses."""
    layers = []

    def start(url):
        prefix = secrets.token_hex(4)
        layers.append(RedisChannelLayer([{"address": url, "socket_timeout": None}], prefix))
        options = (f"redis={url}", f"prefix={prefix}")
        return RunningProgram("tests.support.servers.demo_server", "worker", *options), layers[-1]

    yield start
    for layer in layers:
        await layer.close_pools()


async def until_fetched(layer):
    """Wait until Redis has no job. The worker may not have received the last yet."""
    async with asyncio.timeout(TEST_TIMEOUT):
        while await layer.connection(0).keys(f"{layer.prefix}jobs*"):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_a_stopped_worker_loses_every_job_that_it_has_fetched(redis_url, run):
    worker, layer = run(redis_url)
    for _ in range(3):
        await layer.send("jobs", HOLD)
    with worker:
        await asyncio.to_thread(worker.wait_for_line, "jobs holds")
        await until_fetched(layer)
        worker.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait_until_ended) == -signal.SIGTERM
    assert [line for line in worker.lines if "log" not in line] == []
    assert not await layer.connection(0).zcard(f"{layer.prefix}jobs")


async def test_a_worker_ends_when_redis_ends(redis_binaries, run):
    with RedisServer() as private:
        worker, layer = run(private.url)
        with worker:
            await layer.send("jobs", HOLD)
            await asyncio.to_thread(worker.wait_for_line, "jobs holds")
            private.stop(signal.SIGKILL)
            assert await asyncio.to_thread(worker.wait_until_ended) == 1
    # Python may print more lines while it exits.
    assert any("ConnectionError" in line for line in worker.lines)
