"""What runworker does with the jobs of its channels, and which it loses: the facts of lesson 15."""

import asyncio
import itertools

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import InMemoryChannelLayer
from channels.routing import ChannelNameRouter
from channels.worker import Worker

TEST_TIMEOUT = 60  # seconds; only a test that fails waits this long
CHANNELS = ("serial", "ends", "typeless", "other")


class Jobs(AsyncConsumer):
    made = itertools.count()

    def __init__(self):
        self.number = next(Jobs.made)

    async def job_say(self, event):
        await self.channel_layer.send("said", event | {"by": self.number})

    async def job_say_slowly(self, event):
        await asyncio.sleep(0.05)
        await self.job_say(event)

    async def job_raise(self, event):
        raise LookupError("bad job")

    async def job_stop(self, event):
        raise StopConsumer()


@pytest.fixture
async def worker(layer):
    """A worker that runs."""
    router = ChannelNameRouter(dict.fromkeys(CHANNELS, Jobs.as_asgi()))
    worker = Worker(router, CHANNELS, layer)
    running = asyncio.create_task(worker.arun())
    yield worker
    running.cancel()
    await asyncio.wait([running])


@pytest.fixture
def layer(monkeypatch):
    layer = InMemoryChannelLayer()
    monkeypatch.setattr("channels.consumer.get_channel_layer", lambda alias: layer)
    return layer


async def until_ended(worker, channel):
    """Wait until the worker has seen that the consumer of the channel has ended."""
    consumers = worker.application_instances
    async with asyncio.timeout(TEST_TIMEOUT):
        while channel not in consumers:  # noqa: ASYNC110
            await asyncio.sleep(0)
        ended = consumers[channel]
        while consumers.get(channel) is ended:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def say(text, kind="job.say"):
    return {"type": kind, "text": text}


async def send(layer, channel, *jobs):
    for job in jobs:
        await layer.send(channel, job)


async def said(layer):
    """The next text that a consumer has said, and the consumer's number."""
    event = await layer.receive("said")
    return event["text"], event["by"]


async def test_one_consumer_handles_the_jobs_of_a_channel_one_after_the_other(worker, layer):
    await send(layer, "serial", say("first", "job.say_slowly"), say("second"), say("third"))
    (first, number), *others = [await said(layer) for _ in range(3)]
    assert (first, others) == ("first", [("second", number), ("third", number)])


@pytest.mark.parametrize("kind", ["job.raise", "job.stop"])
async def test_an_exception_and_stop_consumer_end_the_consumer_and_lose_its_waiting_jobs(
    worker, layer, caplog, kind
):
    await send(layer, "ends", {"type": kind}, say("behind it"))
    await until_ended(worker, "ends")
    assert ("bad job" in caplog.text) is (kind == "job.raise")
    await send(layer, "ends", say("after it"))
    assert (await said(layer))[0] == "after it"


async def test_a_job_without_a_type_stops_its_channel_in_a_worker_of_several_channels(
    worker, layer
):
    await send(layer, "typeless", {"text": "no type"})
    await send(layer, "typeless", say("never handled"))
    await send(layer, "other", say("goes on"))
    assert (await said(layer))[0] == "goes on"
    assert layer.channels["typeless"].qsize() == 1
