"""An event loop that knows when nothing is left to do, and whose clock then jumps ahead.

A check must not wait: to see that a consumer says nothing, a stock communicator waits a tenth of a
second or a whole one. This loop counts the thread jobs that it has handed out and sees, where it
would go to sleep, whether anything is left that could wake it. So `wait_until_idle()` returns as
soon as every handler, task and thread is idle, and `asyncio.sleep(5)` takes no time at all.
"""

import asyncio
import selectors
import threading
import time
from contextlib import contextmanager
from contextvars import Context, copy_context
from dataclasses import dataclass
from unittest import mock
from weakref import WeakKeyDictionary, WeakSet

A_MOMENT = 0.001  # seconds
A_BREATH = 0.00025


@dataclass(eq=False)
class _Job:
    """A call handed to an executor, and the thread that makes it, once one does."""

    executor: object
    thread: int | None = None


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop with `wait_until_idle()`; its clock moves by what would be spent asleep.

    While code runs the clock stands still, so that a busy machine does not change what is timed.
    `thread_jobs_started` counts the jobs that it has given to threads: a part of an event's cost.
    """

    def __init__(self):
        self.thread_jobs_started = 0
        self._jobs: set[_Job] = set()
        self._foreign: set[asyncio.Future] = set()
        self.workers: WeakSet[threading.Thread] = WeakSet()  # those that did a job
        self.held: set[int] = set()  # threads that are being held up until a check lets them go
        self._begun = self._now = time.monotonic()
        self._waiting: list[asyncio.Future] = []
        # Weak: what a task that has ended kept alive must go with it.
        self._births: WeakKeyDictionary[asyncio.Task, Context] = WeakKeyDictionary()
        self._files = _Selector(self)
        super().__init__(self._files)
        self._own_files = len(self._files.get_map())

    def time(self) -> float:
        """Seconds on the loop's own clock."""
        return self._now

    def timestamp(self) -> float:
        """Seconds on a clock that goes on while code runs, too: no two events are at the same."""
        return time.monotonic() + self._now - self._begun

    def advance_to(self, moment: float) -> None:
        """Put that clock on, where it is not as far: sleepers side by side sleep the same time."""
        self._begun -= max(0.0, moment - self.timestamp())

    def run_in_executor(self, executor, func, *args):
        """As in asyncio; the job counts as work until it is done, or while it is held up."""
        job = _Job(executor)

        def work():
            job.thread = threading.get_ident()
            self.workers.add(threading.current_thread())
            return func(*args)

        future = super().run_in_executor(executor, work)
        self.thread_jobs_started += 1
        self._jobs.add(job)
        future.add_done_callback(lambda _: self._jobs.discard(job))
        return future

    def run_forever(self):
        """As in asyncio; what another thread is to finish counts as work where it is awaited."""
        with mock.patch.object(asyncio, "wrap_future", self._wrap_future):
            super().run_forever()

    def _wrap_future(self, future, *, loop=None):
        wrapped = asyncio.futures.wrap_future(future, loop=loop)
        if wrapped is not future:
            self._foreign.add(wrapped)
            wrapped.add_done_callback(self._foreign.discard)
        return wrapped

    def _foreign_moves(self) -> bool:
        """Whether fewer threads that are not our jobs' are held up than such results awaited."""
        held = self.held - {job.thread for job in self._jobs}
        return len(self._foreign) > len(held)

    def _moves(self, job: _Job) -> bool:
        """Whether a job can go on: it is not held up, nor waits for its only thread's held job."""
        if job.thread is not None:
            return job.thread not in self.held
        alone = getattr(job.executor, "_max_workers", None) == 1
        return not (alone and any(self._in_front(job, other) for other in self._jobs))

    def _in_front(self, job: _Job, other: _Job) -> bool:
        return other.executor is job.executor and other.thread in self.held

    async def shutdown_default_executor(self, timeout=None):
        """As in asyncio, but without the limit of Python 3.12, to which this clock would jump."""
        await super().shutdown_default_executor()

    def create_task(self, coro, **kwargs):
        """As in asyncio; the task's origin is remembered."""
        task = super().create_task(coro, **kwargs)
        context = kwargs.get("context")
        self._births[task] = copy_context() if context is None else context.copy()
        return task

    def tasks_started_with(self, variable, value) -> list[asyncio.Task]:
        """Every task still in use that was started where the context variable had that value."""
        births = list(self._births.items())
        return [task for task, birth in births if birth.get(variable) is value]

    async def wait_until_idle(self) -> None:
        """Return once no callback is ready and no thread is at work; sleepers go on sleeping.

        A thread in `held`, and what waits for that thread, is not at work.
        """
        waiter = self.create_future()
        self._waiting.append(waiter)
        await waiter

    @contextmanager
    def idle_waiters_paused(self):
        """Within it, a rest is no news to those who have been waiting for one; work is held up."""
        aside, self._waiting = self._waiting, []
        try:
            yield
        finally:
            self._waiting += aside

    def has_no_work(self) -> bool:
        """Whether no thread job and no network traffic could wake it; a thread's end still may."""
        busy = self._foreign_moves() or any(map(self._moves, self._jobs))
        return not busy and len(self._files.get_map()) <= self._own_files

    def rest(self) -> bool:
        """Use a moment of rest: tell those who wait for it; False where nobody does."""
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
        return bool(waiting)

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._now += seconds


class _Selector(selectors.DefaultSelector):
    """Hands the loop its moments of rest in place of sleeping through them."""

    def __init__(self, loop: SimulatedLoop):
        super().__init__()
        self._loop = loop

    def select(self, timeout=None):
        if timeout == 0:
            return super().select(0)
        # First: a thread that ends between the looks has left its answer for the second.
        ending = _threads_end()
        at_rest = not ending and self._loop.has_no_work()
        ready = super().select(0)
        if ready or (at_rest and self._loop.rest()):
            return ready
        if at_rest and timeout is not None:
            # A thread that the target alone knows of cannot be waited for, but is let go on: else
            # code that asks it time and again has done so for an hour before the thread begins.
            ready = super().select(A_BREATH) if threading.active_count() > 1 else []
            if not ready:
                self._loop.advance(timeout)
            return ready
        if ending:
            return super().select(A_MOMENT)  # the end of a thread wakes nobody
        ready = super().select(timeout)
        if not ready and timeout is not None:
            self._loop.advance(timeout)  # waited in full: a timer is due before a thread is done
        return ready


def _threads_end() -> bool:
    """Whether a thread that is no job of the loop's waits for an end that the loop is to hear of.

    asgiref waits so for a ThreadSensitiveContext's thread, asyncio for a process where it has no
    better way.
    """
    names = [thread.name for thread in threading.enumerate()]
    return any(name.endswith(" (join)") or name.startswith("asyncio-waitpid-") for name in names)
