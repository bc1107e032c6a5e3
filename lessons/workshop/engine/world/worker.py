"""Simulates `manage.py runworker`: it runs Channels' own worker in the simulated loop.

There are two differences from a worker process. The channel layer is the simulated one. And where
runworker logs an exception, this worker keeps the exception for the verdict.
"""

import asyncio
import importlib
import sys

from channels.layers import get_channel_layer
from channels.routing import ChannelNameRouter
from channels.worker import Worker

from ..faults.finding import Finding, SubjectSource, make_finding
from ..recording.events import Event, error_text
from ..recording.middleware import RecordingMiddleware
from ..recording.recorder import Recorder
from ..scheduling.loop import task_owner
from . import STUDENT_PACKAGE
from .student_module import reload_module

# What an exception means in a worker, where it disconnects no client.
_WORKER_DIAGNOSES = {"no-handler": "job-not-handled"}


def routes_of(consumer_class) -> dict:
    """`channel_name_patterns`: the worker routes of the project that the consumer belongs to.

    They are in the consumer's file, or on its class (in a file with many versions), or in its
    app's routing.py. The file runs again, because a worker is a separate process: it does not see
    what the web process keeps on a class or in a module.
    """
    module = sys.modules[consumer_class.__module__]
    if module.__name__.startswith(f"{STUDENT_PACKAGE}."):
        module = reload_module(module)
        own = getattr(module, consumer_class.__name__, None)
        return getattr(own, "channel_name_patterns", vars(module).get("channel_name_patterns", {}))
    routing = importlib.import_module(f"{module.__package__}.routing")
    return routing.channel_name_patterns


class FakeWorker(Worker):
    """One worker process. It keeps the faults of its consumers: a diagnosis and the error."""

    def __init__(self, routes: dict, channels: list[str], recorder: Recorder):
        self._recorded = RecordingMiddleware(ChannelNameRouter(routes), recorder)
        self.faults: list[tuple[str, Exception | None]] = []
        super().__init__(self._serve, channels, get_channel_layer())

    async def _serve(self, scope, receive, send):
        try:
            await self._recorded(scope, receive, send)
        except Exception as error:  # runworker logs it and goes on
            self.faults.append(("job-raises", error))
        else:
            self.faults.append(("worker-stopped", None))

    async def run_here(self) -> None:
        """As `run()`, but in the running loop."""
        task_owner.set(self)
        try:
            await self.arun()
        except Exception as error:  # a listener failed, which ends the whole process
            self.faults.append(("job-raises", error))

    async def kill(self) -> None:
        """Cancel all its tasks, as if its process ended."""
        tasks = asyncio.get_running_loop().tasks_of(self)
        left = [task for task in tasks if not task.done()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class Workers:
    """The workers of one conversation, with one transcript."""

    def __init__(self, subject):
        """The workers run the routes of the project that `subject`, a consumer, belongs to."""
        self._subject = subject
        self._recorder = Recorder()
        self._processes: dict[FakeWorker, asyncio.Task] = {}
        self._source = SubjectSource(subject)

    @property
    def transcript(self) -> tuple[Event, ...]:
        return tuple(self._recorder.events)

    async def start(self, *channels: str) -> None:
        """Start one `manage.py runworker CHANNELS`. It takes the waiting jobs at once."""
        routes = routes_of(self._subject)
        worker = FakeWorker(routes, list(channels), self._recorder)
        self._source = SubjectSource(routes.get(channels[0], self._subject))
        self._processes[worker] = asyncio.create_task(worker.run_here())
        await asyncio.get_running_loop().wait_until_idle()

    async def kill(self) -> None:
        """Kill every worker. fault() ignores the errors of killed workers."""
        for worker, running in self._processes.items():
            await worker.kill()
            await asyncio.wait([running])
        self._processes.clear()

    def fault(self) -> Finding | None:
        """An error that a worker would log, or a consumer that stopped."""
        faults = [fault for worker in self._processes for fault in worker.faults]
        if not faults:
            return None
        code, error = faults[0]
        handled = [event.message for event in self.transcript if event.direction == "in"]
        job = str(handled[-1].get("type", "")) if handled else ""
        job = "" if job == "scope" else job  # no job so far
        place = error and self._source.place_of_error(error)
        place = place or self._source.place_of_handler(job)
        raised = error_text(error) if error else ""
        more = {"raised": raised, "instead": _WORKER_DIAGNOSES}
        return make_finding(code, place, job, raised, **more)
