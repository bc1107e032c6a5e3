"""Channels' own worker in the simulated loop: which jobs it takes, and which it loses.

The mistakes of lesson 15 prove which fault of a job gets which diagnosis.
"""

import asyncio
from contextlib import suppress

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

from lessons.workshop.engine.world.worker import Workers
from tests.support.strict_communicator import StrictCommunicator  # noqa: F401 - the loop of a check


class Jobs(AsyncConsumer):
    def __init__(self):
        self.done = 0

    async def job_count(self, event):
        self.done += 1
        await self.channel_layer.send("results", {"type": "result", "done": self.done})

    async def job_raise(self, event):
        raise LookupError("bad job")

    async def job_stop(self, event):
        raise StopConsumer()

    async def job_start(self, event):
        self.task = asyncio.create_task(asyncio.Event().wait())


class Client(AsyncConsumer):
    """The judged consumer. It does nothing here but name its lesson's channel."""


ROUTES = dict.fromkeys(("jobs", "others"), Jobs.as_asgi())
COUNT = {"type": "job.count"}


@pytest.fixture
async def worker(monkeypatch, simulated_layer):
    monkeypatch.setattr(
        "lessons.workshop.engine.world.worker.routes_of", lambda consumer_class: ROUTES
    )
    workers = Workers(Client)
    yield workers
    await workers.kill()


async def send(*jobs, channel="jobs"):
    for job in jobs:
        await get_channel_layer().send(channel, job)
    await asyncio.get_running_loop().wait_until_idle()


async def take_job(channel):
    """The next job, as a worker takes it; None if no job waits."""
    with suppress(TimeoutError):
        return await asyncio.wait_for(get_channel_layer().receive(channel), 0.1)


async def results():
    """The results of the jobs so far."""
    found = []
    while result := await take_job("results"):
        found.append(result["done"])
    return found


async def test_one_consumer_takes_waiting_and_new_jobs(worker):
    await send(COUNT, COUNT)
    assert await results() == []
    await worker.start("jobs")
    await send(COUNT)
    assert worker.fault() is None
    assert await results() == [1, 2, 3]


async def test_a_job_without_a_type_stops_its_channel_in_a_worker_of_several_channels(worker):
    await worker.start("jobs", "others")
    await send({"job": "no type"}, COUNT)
    assert await results() == []
    await send(COUNT, channel="others")
    assert await results() == [1]
    assert await take_job("jobs") == COUNT


@pytest.mark.parametrize("end", ["job.raise", "job.stop"])
async def test_an_ended_consumer_loses_fetched_jobs_and_a_new_one_takes_the_next(worker, end):
    await worker.start("jobs")
    await send({"type": end}, COUNT)
    await asyncio.sleep(0.1)  # runworker looks for ended consumers that often
    await send(COUNT)
    assert await results() == [1]
    assert worker.fault()


async def test_a_killed_worker_leaves_no_task_and_takes_no_job(worker):
    before = asyncio.all_tasks()
    await worker.start("jobs")
    await send({"type": "job.start"}, COUNT)
    await worker.kill()
    assert asyncio.all_tasks() == before
    await send(COUNT)
    assert await results() == [1]
    assert await take_job("jobs") == COUNT
    assert await take_job("jobs") is None
