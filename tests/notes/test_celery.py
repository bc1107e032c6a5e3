"""What NOTES.md says about tasks of Celery, with real workers and a real Redis."""

import asyncio
import os
import signal
import sys
import uuid
from contextlib import suppress
from importlib.util import find_spec

import pytest
from channels_redis.core import RedisChannelLayer

from lessons.workshop.course.lesson_index import PROJECT_DIR
from tests.support.programs.processes import start_with_pipe
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram
from tests.support.required_programs import skip_or_fail

SAMPLE = "tests.notes.sample_project"
HOUR = 3600  # seconds; the visibility timeout of the broker, unless a project sets another one
# Without these options, all workers on one Redis notice each other.
ALONE = ("--without-gossip", "--without-mingle", "--without-heartbeat")

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Celery's prefork does not run on Windows."
)


@pytest.fixture(scope="module", autouse=True)
def celery():
    if find_spec("celery") is None:
        skip_or_fail("There is no celery: pip install --require-hashes -r .ci/extras.txt")


class Worker(RunningProgram):
    """A worker of Celery with its own process group; a test may end it at any time."""

    def __init__(self, environment, pool, concurrency):
        options = ("--pool", pool, "--concurrency", str(concurrency), "--loglevel", "INFO")
        super().__init__("celery", "-A", f"{SAMPLE}.celery_tasks", "worker", *options, *ALONE)
        self.environment = os.environ | environment

    def start(self):
        words = ["-m", *self.command]
        return start_with_pipe(words, cwd=PROJECT_DIR, env=self.environment, session=True)

    def kill(self):
        """End the worker and its children, as a machine does that crashes."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(TEST_TIMEOUT)

    def __exit__(self, *_):
        self.kill()
        self.join_reader()

    def count(self, text):
        """The number of lines of its log that have this text."""
        return sum(text in line for line in self.lines)

    async def wait_for_lines(self, number, text):
        def are_there():
            with self.lines_changed:
                return self.lines_changed.wait_for(lambda: self.count(text) == number, TEST_TIMEOUT)

        assert await asyncio.to_thread(are_there), "\n".join(self.lines)


class Broker:
    """A queue of Celery, and a channel in the group to which its tasks send their messages."""

    def __init__(self, url):
        from celery import Celery

        self.url, self.prefix = url, f"{uuid.uuid4().hex}-"
        self.layer = RedisChannelLayer([{"address": url, "socket_timeout": None}], self.prefix)
        address = url.replace("unix://", "redis+socket://")
        self.celery = Celery(broker=address, fixups=set(), set_as_current=False)
        self.celery.conf.broker_transport_options = {"global_keyprefix": self.prefix}

    async def __aenter__(self):
        self.channel = await self.layer.new_channel()
        await self.layer.group_add("news", self.channel)
        self.redis = self.layer.connection(0)
        return self

    async def __aexit__(self, *_):
        self.celery.close()
        async for key in self.redis.scan_iter(f"{self.prefix}*"):
            await self.redis.delete(key)
        await self.layer.close_pools()

    def start_worker(self, pool, concurrency=1, visibility_timeout=HOUR):
        environment = {
            "DJANGO_SETTINGS_MODULE": f"{SAMPLE}.celery_settings",
            "REDIS_URL": self.url,
            "MYSITE_PREFIX": self.prefix,
            "MYSITE_VISIBILITY_TIMEOUT": str(visibility_timeout),
        }
        return Worker(environment, pool, concurrency)

    def add(self, task, *arguments):
        self.celery.send_task(f"{SAMPLE}.celery_tasks.{task}", arguments)

    async def news(self):
        """The text of the next message, and the process that sent it."""
        async with asyncio.timeout(TEST_TIMEOUT):
            message = await self.layer.receive(self.channel)
        return message["text"], message["pid"]

    async def tasks(self):
        """How many tasks wait, and how many a worker has received and not acknowledged."""
        waiting = await self.redis.llen(f"{self.prefix}celery")
        return waiting, await self.redis.hlen(f"{self.prefix}unacked")


@pytest.fixture
async def broker(redis_url):
    async with Broker(redis_url) as broker:
        yield broker


@pytest.mark.parametrize("pool", ["prefork", "solo"])
async def test_tasks_of_celery_reach_a_group_also_from_a_forked_child(broker, pool):
    with broker.start_worker(pool) as worker:
        assert await broker.news() == ("a worker starts", worker.process.pid)
        broker.add("tell", "one")
        text, pid = await broker.news()
        assert (text, pid != worker.process.pid) == ("one", pool == "prefork")
        broker.add("tell", "two")  # in the same process, and in another event loop
        assert await broker.news() == ("two", pid)
    assert worker.count("Event loop is closed") == worker.count("Traceback") == 0


async def test_celery_reports_the_success_of_an_async_def_task_that_it_does_not_run(broker):
    with broker.start_worker("solo") as worker:
        await broker.news()
        broker.add("tell_async", "lost")
        broker.add("tell", "after it")
        assert (await broker.news())[0] == "after it"
        await worker.wait_for_lines(2, " succeeded in ")
    assert worker.count("coroutine 'tell_async' was never awaited") == 1


async def test_celery_runs_the_task_of_a_killed_child_again_only_if_both_options_are_set(broker):
    with broker.start_worker("prefork", concurrency=3) as worker:
        await broker.news()
        pids = {}
        for task in ("early", "late", "rejected"):
            broker.add(task)
        for _ in range(3):
            text, pid = await broker.news()
            pids[text] = pid
        assert pids.keys() == {"early", "late", "rejected"}
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        text, pid = await broker.news()
        assert (text, pid in pids.values()) == ("rejected again", False)
        await worker.wait_for_lines(3, "Task handler raised error: WorkerLostError")
        worker.process.terminate()
        assert await asyncio.to_thread(worker.process.wait, TEST_TIMEOUT) == 0
    assert await broker.tasks() == (0, 0)


async def test_a_task_of_a_killed_worker_waits_for_the_visibility_timeout_of_an_hour(broker):
    from kombu.transport.redis import Channel

    assert Channel.visibility_timeout == HOUR
    with broker.start_worker("solo") as worker:
        await broker.news()
        broker.add("late")
        assert await broker.news() == ("late", worker.process.pid)
        worker.kill()
    assert await broker.tasks() == (0, 1)
    # For this worker, the time has passed already.
    with broker.start_worker("solo", visibility_timeout=0):
        assert (await broker.news())[0] == "a worker starts"
        assert (await broker.news())[0] == "late again"
