"""The fake worker: it treats jobs as runworker does, and reports what runworker logs."""

import asyncio

import pytest
from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.recording.transcript import render
from lessons.workshop.engine.world.channel_layer import fresh_layers
from lessons.workshop.engine.world.student_module import load_file
from lessons.workshop.engine.world.worker import Workers
from lessons.workshop.judge import StrictCommunicator


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

    async def job_send(self, event):
        await self.send({"type": "websocket.send", "text": "hello"})

    async def job_wait(self, event):
        await asyncio.sleep(event["seconds"])

    async def job_start(self, event):
        self.task = asyncio.create_task(asyncio.Event().wait())


class SyncJobs(SyncConsumer):
    def job_count(self, event):
        async_to_sync(self.channel_layer.send)("results", {"type": "result", "done": 1})


class Client(AsyncConsumer):
    """The judged consumer. It does nothing here but name its lesson's channel."""


ROUTES = {"jobs": Jobs.as_asgi(), "sync": SyncJobs.as_asgi()}
COUNT = {"type": "job.count"}


@pytest.fixture(autouse=True)
def layer():
    with fresh_layers():
        yield


@pytest.fixture
async def worker(monkeypatch):
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


async def results(worker):
    """The results of the jobs so far."""
    found = []
    while result := await worker.take_job("results"):
        found.append(result["done"])
    return found


async def test_one_consumer_takes_waiting_and_new_jobs(worker):
    await send(COUNT, COUNT)
    assert await results(worker) == []
    await worker.start("jobs")
    await send(COUNT)
    worker.judge()
    assert await results(worker) == [1, 2, 3]


async def test_runs_a_sync_consumer_in_its_thread(worker):
    await worker.start("jobs", "sync")
    await send(COUNT, channel="sync")
    worker.judge()
    assert await results(worker) == [1]


@pytest.mark.parametrize(
    ("job", "diagnosis"),
    [
        ({"type": "job.raise"}, "job-raises"),
        ({"type": "job.unheard"}, "job-not-handled"),
        ({"type": "job.stop"}, "worker-stopped"),
        ({"type": "job.send"}, "worker-has-no-client"),
        ({"job": "no type"}, "job-without-type"),
    ],
)
async def test_an_ended_consumer_fails_the_check_and_loses_later_jobs(worker, job, diagnosis):
    await send(job, COUNT)
    await worker.start("jobs")
    assert await results(worker) == []
    with pytest.raises(CheckFailed) as excinfo:
        worker.judge()
    assert excinfo.value.finding.diagnosis == diagnosis


async def test_knows_whether_a_job_runs(worker):
    await worker.start("jobs")
    await send(COUNT)
    assert not worker.is_busy
    await send({"type": "job.wait", "seconds": 3}, COUNT)
    assert worker.is_busy
    assert len(worker.jobs) == 2
    await asyncio.sleep(3)
    await asyncio.get_running_loop().wait_until_idle()
    assert not worker.is_busy
    assert await results(worker) == [1, 2]


async def test_a_new_consumer_replaces_an_ended_one_and_the_failure_stays(worker):
    await worker.start("jobs")
    await send({"type": "job.raise"})
    await asyncio.sleep(0.1)  # runworker looks for ended consumers that often
    await send(COUNT)
    assert await results(worker) == [1]
    with pytest.raises(CheckFailed, match="LookupError: bad job"):
        worker.judge()


async def test_a_channel_without_a_consumer_fails_the_check(worker):
    await worker.start("unrouted")
    await send(COUNT, channel="unrouted")
    with pytest.raises(CheckFailed) as excinfo:
        worker.judge()
    assert excinfo.value.finding.diagnosis == "channel-unrouted"


async def test_the_failure_names_job_handler_and_line(worker):
    await worker.start("jobs")
    await send({"type": "job.raise"})
    with pytest.raises(CheckFailed) as excinfo:
        worker.judge()
    line = Jobs.job_raise.__code__.co_firstlineno + 1
    place = f"Jobs.job_raise (test_worker.py, line {line})"
    assert excinfo.value.finding.message == f"job.raise → {place}: An exception in the worker"


async def test_a_killed_worker_leaves_no_task_and_takes_no_job(worker):
    before = asyncio.all_tasks()
    await worker.start("jobs")
    await send({"type": "job.start"}, COUNT)
    await worker.kill()
    assert asyncio.all_tasks() == before
    await send(COUNT)
    assert await results(worker) == [1]
    assert await worker.take_job("jobs") == COUNT
    assert await worker.take_job("jobs") is None


async def test_records_jobs_and_their_messages_in_the_layer_lane(worker):
    await worker.start("jobs")
    await send(COUNT)
    seen = [(e.lane, e.direction, e.message["type"], e.handler) for e in worker.transcript]
    assert seen == [
        ("layer", "in", "scope", None),
        ("layer", "in", "job.count", "job_count"),
        ("layer", "out", "send", "job_count"),
    ]
    assert worker.jobs == [COUNT]
    assert render(worker.transcript).startswith("  1  layer    → scope  channel: jobs")


SHARING = """
from channels.consumer import AsyncConsumer

class Worker(AsyncConsumer):
    async def job_look(self, event):
        await self.channel_layer.send("results", {"type": "result", "done": len(CLIENTS)})

CLIENTS = []

class Client(AsyncConsumer):
    async def websocket_connect(self, event):
        CLIENTS.append(self)
        await self.send({"type": "websocket.accept"})

channel_name_patterns = {"jobs": Worker.as_asgi()}
"""


async def test_shares_no_memory_with_the_consumer_that_sends_the_jobs(tmp_path):
    file = tmp_path / "exercise.py"
    file.write_text(SHARING)
    consumer_class = load_file(file).Client
    workers = Workers(consumer_class)
    client = StrictCommunicator(consumer_class.as_asgi(), "/")
    await client.connect()
    await workers.start("jobs")
    await send({"type": "job.look"})
    assert await results(workers) == [0]
    await workers.kill()
    await client.cancel_application()


async def test_a_restarted_worker_remembers_nothing(tmp_path):
    file = tmp_path / "exercise.py"
    file.write_text(SHARING.replace("len(CLIENTS)", "CLIENTS.append(self) or len(CLIENTS)"))
    workers = Workers(load_file(file).Client)
    for _ in range(2):
        await workers.start("jobs")
        await send({"type": "job.look"}, {"type": "job.look"})
        assert await results(workers) == [1, 2]
        await workers.kill()
