"""Stands in for `manage.py runworker`: Channels' own worker, in the loop of the check.

What differs from a worker process is what a check could not wait for, or not see: the layer is the
check's own, and an exception is kept for the verdict where runworker would log it.
"""

import asyncio
import importlib
import sys
from contextlib import asynccontextmanager
from contextvars import ContextVar

from channels.layers import get_channel_layer
from channels.routing import ChannelNameRouter
from channels.worker import Worker

from lessons.core.diagnoses import recognise
from lessons.simulator.database import without_connection_cleanup
from lessons.simulator.finding import CheckFailed, Source, make_finding, place_of_error
from lessons.simulator.loop import POLL_INTERVAL
from lessons.simulator.student_module import LOADED, reload_module
from lessons.wire.events import Event
from lessons.wire.middleware import RecordingMiddleware
from lessons.wire.recorder import Recorder

# What an exception is called where no client is closed by it.
_IN_A_WORKER = {"exception": "job-raises", "no-handler": "job-not-handled"}

# The worker that a task was started for: its tasks inherit it, and are ended with it.
_process: ContextVar = ContextVar("worker process", default=None)


def routes_of(consumer_class) -> dict:
    """`channel_name_patterns`: what the project that the consumer belongs to routes for workers.

    They stand in the consumer's file, or on its class where a file holds many versions, or in its
    app's routing.py. The file is run anew, since a worker is a process of its own: what a consumer
    keeps on its class, or in its module, is not there.
    """
    module = sys.modules[consumer_class.__module__]
    if module.__name__.startswith(f"{LOADED}."):
        module = reload_module(module)
        own = getattr(module, consumer_class.__name__, None)
        return getattr(own, "channel_name_patterns", vars(module).get("channel_name_patterns", {}))
    routing = importlib.import_module(f"{module.__package__}.routing")
    return routing.channel_name_patterns


class FakeWorker(Worker):
    """One worker process: which of its consumers have ended, and of what."""

    def __init__(self, routes: dict, channels: list[str], recorder: Recorder):
        self._recorded = RecordingMiddleware(ChannelNameRouter(routes), recorder)
        self.errors: list[Exception] = []
        self.stopped = False
        self.is_busy: set[str] = set()  # the channels whose job has not been done yet
        super().__init__(self._serve, channels, get_channel_layer())

    async def _serve(self, scope, receive, send):
        async def next_job():
            self.is_busy.discard(scope["channel"])
            job = await receive()
            self.is_busy.add(scope["channel"])
            return job

        try:
            await self._recorded(scope, next_job, send)
        except Exception as error:  # runworker would log it, and go on
            self.errors.append(error)
        else:
            self.stopped = True

    async def run_here(self) -> None:
        """What `run()` does, in the loop that is running."""
        _process.set(self)
        try:
            await self.arun()
        except Exception as error:  # a listener's own, which ends the whole process
            self.errors.append(error)

    async def kill(self) -> None:
        """End all of it, as the end of a process does."""
        tasks = asyncio.get_running_loop().tasks_started_with(_process, self)
        left = [task for task in tasks if not task.done()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class Workers:
    """The workers of one check. `transcript` holds what crossed in all of them."""

    def __init__(self, context):
        self._context = context
        self._recorder = Recorder()
        self._processes: dict[FakeWorker, asyncio.Task] = {}
        self._source = context.source

    @property
    def transcript(self) -> tuple[Event, ...]:
        return tuple(self._recorder.events)

    async def start(self, *channels: str) -> None:
        """One more `manage.py runworker CHANNELS`, which takes at once what waits there."""
        routes = routes_of(self._context.subject)
        worker = FakeWorker(routes, list(channels), self._recorder)
        self._source = Source(routes.get(channels[0], self._context.subject))
        self._processes[worker] = asyncio.create_task(worker.run_here())
        with without_connection_cleanup():
            await asyncio.get_running_loop().wait_until_idle()

    @property
    def jobs(self) -> list[dict]:
        """What the workers were given to do so far, and whatever else has come to them."""
        return [event.message for event in self.transcript if _is_job(event)]

    @property
    def is_busy(self) -> bool:
        """Whether a job was begun and is not done: those behind it wait."""
        return any(worker.is_busy for worker in self._processes)

    async def take(self, channel: str) -> dict | None:
        """Take the next job away, as a worker does that is killed with it; None: there is none."""
        try:
            return await asyncio.wait_for(get_channel_layer().receive(channel), POLL_INTERVAL)
        except TimeoutError:
            return None

    async def kill(self) -> None:
        """Kill every worker, and forget what was judged in it."""
        for worker, running in self._processes.items():
            await worker.kill()
            await asyncio.wait([running])
        self._processes.clear()

    def judge(self) -> None:
        """Raise CheckFailed for an error that a worker would log, or a consumer that stopped."""
        for worker in self._processes:
            for error in worker.errors:
                name = recognise(error)
                detail = f"{type(error).__name__}: {error}"
                raise self.failure(_IN_A_WORKER.get(name, name), detail, error)
            if worker.stopped:
                raise self.failure("worker-stopped")

    def failure(
        self, name: str, detail: str = "", error: BaseException | None = None
    ) -> CheckFailed:
        """The failure with diagnosis `name`, at the line that raised `error` or that ran last."""
        job = str(self.jobs[-1].get("type", "")) if self.jobs else ""
        place = error and place_of_error(self._source.file, error)
        place = place or self._source.place_of_handler(job)
        return CheckFailed(make_finding(name, place, job, detail), self._context.transcript)


def _is_job(event: Event) -> bool:
    return event.direction == "in" and event.message.get("type") != "scope"


@asynccontextmanager
async def worker(context):
    """`await worker.start("channel")`: workers, whose errors are red at the end of the check."""
    workers = Workers(context)
    context.workers.append(workers)
    try:
        yield workers
        workers.judge()
    finally:
        await workers.kill()
