"""What a real runworker does with its jobs, and which jobs it loses: the facts of lesson 15."""

import asyncio
import itertools
import secrets
import signal

import pytest
from channels_redis.core import RedisChannelLayer

from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.running_program import TEST_TIMEOUT, RunningWorker

numbers = itertools.count(1)
OTHER = "other"  # its jobs open a gate


@pytest.fixture(scope="module")
def prefix():
    return secrets.token_hex(4)


@pytest.fixture
async def layer(redis_url, prefix):
    layer = RedisChannelLayer([{"address": redis_url, "socket_timeout": None}], prefix)
    yield layer
    await layer.close_pools()


def start(redis_url, prefix, *channels):
    options = (f"redis={redis_url}", f"prefix={prefix}", f"channels={','.join(channels)}")
    return RunningWorker("tests.support.servers.demo_server", "worker", *options)


@pytest.fixture(scope="module")
def worker(redis_url, prefix):
    names = ["serial", "raises", "stops", "sends", "unhandled", "typeless", "unrouted", OTHER]
    with start(redis_url, prefix, *names) as worker:
        yield worker


def say(text):
    return {"type": "job.say", "text": text}


async def send(layer, channel, *jobs):
    for job in jobs:
        await layer.send(channel, job)


async def waiting(layer, channel):
    """The number of jobs that wait in the channel."""
    return await layer.connection(0).zcard(layer.prefix + channel)


def wait_for_line(worker, beginning):
    return asyncio.to_thread(worker.wait_for_line, beginning)


async def until_fetched(layer, channel):
    """Wait until Redis has no job of the channel. The worker may not have received the last yet."""
    async with asyncio.timeout(TEST_TIMEOUT):
        while await layer.connection(0).keys(f"{layer.prefix}{channel}*"):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def hold(layer, channel, *jobs):
    """Send these jobs while an earlier job holds the worker. It fetches all, then continues.

    One more job is sent last. When Redis no longer has that one, the worker has those before it.
    """
    gate = str(next(numbers))
    await send(layer, channel, {"type": "job.hold", "gate": gate}, *jobs, say("one more"))
    await until_fetched(layer, channel)
    await send(layer, OTHER, {"type": "job.open", "gate": gate})


def log_of(error):
    return f"log Exception inside application: {error}"


async def test_one_consumer_handles_the_jobs_of_a_channel_one_after_the_other(worker, layer):
    await hold(layer, "serial", say("second"), say("third"))
    lines = await wait_for_line(worker, "third")
    done = [line for line in lines if line.startswith(("serial", "second", "third"))]
    number = done[-1].rpartition(" ")[2]
    assert done == ["serial holds", "serial goes on", f"second by {number}", f"third by {number}"]


async def test_an_exception_and_stop_consumer_end_the_consumer_and_lose_its_waiting_jobs(
    worker, layer
):
    await hold(layer, "stops", {"type": "job.stop"}, say("behind a stop"))
    await hold(layer, "raises", {"type": "job.raise", "text": "bad job"}, say("behind a raise"))
    await wait_for_line(worker, log_of("bad job"))
    await send(layer, "raises", say("after a raise"))
    await send(layer, "stops", say("after a stop"))
    await wait_for_line(worker, "after a raise")
    lines = await wait_for_line(worker, "after a stop")
    assert not any(line.startswith("behind") for line in lines)
    assert worker.process.poll() is None


async def test_a_job_without_a_type_stops_its_channel_in_a_worker_of_several_channels(
    worker, layer
):
    await send(layer, "typeless", {"text": "no type"})
    await until_fetched(layer, "typeless")
    await send(layer, "typeless", say("never handled"))
    await send(layer, OTHER, say("goes on"))
    await wait_for_line(worker, "goes on")
    assert await waiting(layer, "typeless") == 1


async def test_a_stopped_worker_loses_every_job_that_it_has_fetched(redis_url, prefix, layer):
    jobs = say("second"), say("third")
    await send(layer, "stopped", {"type": "job.hold", "gate": "never"}, *jobs)
    with start(redis_url, prefix, "stopped") as worker:
        await wait_for_line(worker, "stopped holds")
        await until_fetched(layer, "stopped")
        worker.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait_until_ended) == -signal.SIGTERM
    assert [line for line in worker.lines if "log" not in line] == ["stopped holds"]
    assert not await waiting(layer, "stopped")


async def test_a_worker_ends_when_redis_ends(redis_binaries, prefix):
    with RedisServer() as private:
        layer = RedisChannelLayer([{"address": private.url, "socket_timeout": None}], prefix)
        with start(private.url, prefix, "alone") as worker:
            await send(layer, "alone", say("began"))
            await wait_for_line(worker, "began")
            private.stop(signal.SIGKILL)
            assert await asyncio.to_thread(worker.wait_until_ended) == 1
    await layer.close_pools()
    # Python may print more lines while it exits.
    assert any("ConnectionError" in line for line in worker.lines)
