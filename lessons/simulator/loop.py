"""An event loop that knows when nothing is left to do, and whose clock jumps over every wait.

A check must not wait. A stock communicator waits 0.1 to 1 s before it says that a consumer sends
nothing. This loop knows it at once, because it sees all work that is left: ready callbacks, jobs on
threads, open sockets. When no work is left, the loop is idle. Then it does one of two things:

    await loop.wait_until_idle()   # returns as soon as the loop is idle
    await asyncio.sleep(5)         # ends as soon as the loop is idle: the clock moves on by 5 s

A normal loop sleeps in its selector when no callback is ready, until a file is ready or the next
timer is due. It does so in `_Selector.select()`. In cases 2 to 5 no callback is ready:

1. A callback is ready (timeout 0): select() looks at the files and returns.
2. The loop is idle and a coroutine waits in wait_until_idle(): select() wakes that coroutine.
3. The loop is idle and a timer is set: select() moves the clock to the timer. If the program runs
   threads that the loop does not know, it first gives these threads a moment of real time.
4. A thread is about to end, and its end does not wake the loop: select() looks again after 1 ms.
5. Anything else, such as a job on a thread: select() waits in real time, as a normal loop does.

For example, a handler awaits a thread job that takes 20 ms, then sleeps for 5 s, while a check
awaits wait_until_idle(). The loop waits 20 ms for the job (5). Then only the timer is left, so the
check goes on (2). When the check awaits the end of the handler, the clock jumps by 5 s (3).
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

POLL_INTERVAL = 0.001  # seconds between two looks at a thread that is about to end
THREAD_TIME_SLICE = 0.00025  # seconds for unknown threads before the clock jumps


@dataclass(eq=False)
class _Job:
    """A call that an executor makes, and the thread that makes it once it has started."""

    executor: object
    thread: int | None = None


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop with `wait_until_idle()`, on a clock that moves by the time spent asleep.

    The clock stands still while code runs, so a busy machine does not change what is timed.
    `thread_jobs_started` counts the jobs for threads: they are a part of what an event costs.
    """

    def __init__(self):
        self.thread_jobs_started = 0
        self._jobs: set[_Job] = set()
        self._awaited_thread_results: set[asyncio.Future] = set()
        self.worker_threads: WeakSet[threading.Thread] = WeakSet()  # threads that did a job
        self.held_threads: set[int] = set()  # threads that wait until a check releases them
        self._begun = self._now = time.monotonic()
        self._idle_waiters: list[asyncio.Future] = []
        # Weak, so that a finished task and all that it refers to can be freed.
        self._start_contexts: WeakKeyDictionary[asyncio.Task, Context] = WeakKeyDictionary()
        self._files = _Selector(self)
        super().__init__(self._files)
        self._own_files = len(self._files.get_map())

    # The clock

    def time(self) -> float:
        """Seconds on the loop's own clock."""
        return self._now

    def timestamp(self) -> float:
        """Seconds on a clock that also runs while code runs, so no two events have equal times."""
        return time.monotonic() + self._now - self._begun

    def advance_to(self, timestamp: float) -> None:
        """Move the timestamp() clock forward to `timestamp`, unless it is there already.

        Two threads that sleep for 1 s side by side so advance it by 1 s, not by 2.
        """
        self._begun -= max(0.0, timestamp - self.timestamp())

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        self._now += seconds

    # Work on threads

    def run_in_executor(self, executor, func, *args):
        """As in asyncio. The job counts as work until it is done, unless its thread is held."""
        job = _Job(executor)

        def work():
            job.thread = threading.get_ident()
            self.worker_threads.add(threading.current_thread())
            return func(*args)

        future = super().run_in_executor(executor, work)
        self.thread_jobs_started += 1
        self._jobs.add(job)
        future.add_done_callback(lambda _: self._jobs.discard(job))
        return future

    def run_forever(self):
        """As in asyncio. An awaited result of another thread counts as work."""
        with mock.patch.object(asyncio, "wrap_future", self._wrap_future):
            super().run_forever()

    def _wrap_future(self, future, *, loop=None):
        wrapped = asyncio.futures.wrap_future(future, loop=loop)
        if wrapped is not future:
            self._awaited_thread_results.add(wrapped)
            wrapped.add_done_callback(self._awaited_thread_results.discard)
        return wrapped

    async def shutdown_default_executor(self, timeout=None):
        """As in asyncio, but without the time limit of Python 3.12: this clock would jump to it."""
        await super().shutdown_default_executor()

    # Tasks

    def create_task(self, coro, **kwargs):
        """As in asyncio. The loop remembers the context in which the task was started."""
        task = super().create_task(coro, **kwargs)
        context = kwargs.get("context")
        self._start_contexts[task] = copy_context() if context is None else context.copy()
        return task

    def tasks_started_with(self, variable, value) -> list[asyncio.Task]:
        """Every living task that was started while the context variable had that value."""
        contexts = list(self._start_contexts.items())
        return [task for task, context in contexts if context.get(variable) is value]

    # Idleness

    async def wait_until_idle(self) -> None:
        """Return once no callback is ready and no thread works. Sleeping tasks go on sleeping.

        A thread in `held_threads`, and a job behind such a thread, do not count as work.
        """
        waiter = self.create_future()
        self._idle_waiters.append(waiter)
        await waiter

    @contextmanager
    def idle_waiters_paused(self):
        """Within it, tasks in wait_until_idle() keep waiting, even if the loop is idle."""
        paused, self._idle_waiters = self._idle_waiters, []
        try:
            yield
        finally:
            self._idle_waiters += paused

    def has_no_work(self) -> bool:
        """Whether no thread job and no network traffic can wake the loop. An ending thread may."""
        busy = self._awaits_unheld_thread() or any(map(self._can_go_on, self._jobs))
        return not busy and len(self._files.get_map()) <= self._own_files

    def wake_idle_waiters(self) -> bool:
        """Wake the tasks in wait_until_idle(). Returns False if no task waits."""
        waiting, self._idle_waiters = self._idle_waiters, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
        return bool(waiting)

    def _awaits_unheld_thread(self) -> bool:
        """Whether a result of an unknown thread is awaited, and that thread is not held."""
        held = self.held_threads - {job.thread for job in self._jobs}
        return len(self._awaited_thread_results) > len(held)

    def _can_go_on(self, job: _Job) -> bool:
        """Whether a job is not held, and not behind a held job on its executor's only thread."""
        if job.thread is not None:
            return job.thread not in self.held_threads
        has_one_thread = getattr(job.executor, "_max_workers", None) == 1
        return not (has_one_thread and any(self._blocks(other, job) for other in self._jobs))

    def _blocks(self, other: _Job, job: _Job) -> bool:
        return other.executor is job.executor and other.thread in self.held_threads


class _Selector(selectors.DefaultSelector):
    """Acts when a normal loop would sleep. The module's docstring lists the cases."""

    def __init__(self, loop: SimulatedLoop):
        super().__init__()
        self._loop = loop

    def select(self, timeout=None):
        if timeout == 0:
            return super().select(0)
        # In this order: if the thread ends after this line, select(0) below finds its result.
        thread_ends = _a_thread_is_about_to_end()
        is_idle = not thread_ends and self._loop.has_no_work()
        ready = super().select(0)
        if ready or (is_idle and self._loop.wake_idle_waiters()):
            return ready
        if is_idle and timeout is not None:
            # The loop cannot wait for a thread that only the student's code knows. But the thread
            # must run: otherwise code that polls it could poll for a simulated hour before the
            # thread has even started.
            ready = super().select(THREAD_TIME_SLICE) if threading.active_count() > 1 else []
            if not ready:
                self._loop.advance(timeout)
            return ready
        if thread_ends:
            return super().select(POLL_INTERVAL)
        ready = super().select(timeout)
        if not ready and timeout is not None:
            self._loop.advance(timeout)  # a timer was due before a thread was done
        return ready


def _a_thread_is_about_to_end() -> bool:
    """Whether a helper thread of asgiref or asyncio waits for another thread or process to end.

    asgiref waits in such a thread for the end of a ThreadSensitiveContext's thread, asyncio for the
    end of a process. Their names are all that identifies them. In early releases of Python 3.11,
    the name of asyncio's thread is shorter.
    """
    names = [thread.name for thread in threading.enumerate()]
    return any(
        name.endswith(" (join)") or name.startswith(("asyncio-waitpid-", "waitpid-"))
        for name in names
    )
