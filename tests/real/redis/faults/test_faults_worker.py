"""A worker is killed, or a job fails: which jobs are done, and which are lost."""

import asyncio
import signal

import pytest
from channels.exceptions import ChannelFull
from channels.layers import channel_layers
from redis import Redis

from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram, wait_until
from tests.support.servers.room_server import layers


@pytest.fixture(scope="module")
def redis_server(redis_binaries):
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis(redis_server):
    with Redis.from_url(redis_server.url) as connection:
        connection.flushall()
        yield connection


@pytest.fixture
async def layer(redis_server, settings):
    settings.CHANNEL_LAYERS = {"default": layers(redis_server.url)["redis"]}
    layer = channel_layers.make_backend("default")
    yield layer
    await layer.close_pools()


def worker(redis_server):
    return RunningProgram("tests.support.servers.failing_worker", redis_server.url)


async def put(layer, kind, number):
    await layer.send("jobs", {"type": f"job.{kind}", "number": number})


async def fetch_three_jobs(layer, redis, working):
    """Send three jobs. The first has started; the others wait in the worker, not in Redis."""
    await put(layer, "long", 1)
    await put(layer, "short", 2)
    await put(layer, "short", 3)
    assert await asyncio.to_thread(working.wait_for_line, "began ") == "1"
    # A job that the worker is fetching leaves Redis for a moment, and then comes back. All jobs are
    # fetched when two connections block: the worker's, and that of its consumer.
    wait_until(
        lambda: not redis.exists("asgijobs") and redis.info("clients")["blocked_clients"] == 2
    )


async def test_a_killed_worker_loses_its_job_and_all_fetched_jobs(redis_server, redis, layer):
    with worker(redis_server) as killed:
        await fetch_three_jobs(layer, redis, killed)
        killed.process.kill()
        killed.process.wait(TEST_TIMEOUT)
    with worker(redis_server) as new:
        await put(layer, "short", 4)
        assert await asyncio.to_thread(new.wait_for_line, "did ") == "4"
    assert new.lines == []


async def test_a_failed_job_loses_all_jobs_that_the_worker_had_fetched(redis_server, redis, layer):
    with worker(redis_server) as working:
        await fetch_three_jobs(layer, redis, working)
        working.process.send_signal(signal.SIGUSR1)
        error = "ERROR:root:Exception inside application: "
        assert await asyncio.to_thread(working.wait_for_line, error) == "job failed"
        await put(layer, "short", 4)
        assert await asyncio.to_thread(working.wait_for_line, "did ") == "4"
        assert working.process.poll() is None


async def test_up_to_a_hundred_jobs_wait_a_minute_in_redis_for_a_worker(redis_server, redis, layer):
    for number in range(100):
        await put(layer, "short", number)
    with pytest.raises(ChannelFull):
        await put(layer, "short", 100)
    assert 0 < redis.ttl("asgijobs") <= 60
    with worker(redis_server) as late:
        done = [await asyncio.to_thread(late.wait_for_line, "did ") for _ in range(100)]
    assert done == [str(number) for number in range(100)]


async def test_a_worker_ends_when_redis_ends(redis_server, redis, layer):
    with worker(redis_server) as working:
        await put(layer, "short", 1)
        assert await asyncio.to_thread(working.wait_for_line, "did ") == "1"
        redis_server.stop(signal.SIGKILL)
        try:
            assert await asyncio.to_thread(working.process.wait, TEST_TIMEOUT) == 1
        finally:
            redis_server.start()
    # Python may print more lines while it exits.
    assert any("ConnectionError" in line for line in working.lines)
