"""An event loop that knows when nothing is left to do, and whose clock jumps over every wait.

A check must not wait. A stock communicator waits 0.1 to 1 s before it says that a consumer sends
nothing. This loop knows it at once, because it sees all work that is left: ready callbacks, jobs on
threads, open sockets. When no work is left, the loop is idle. Then it does one of two things:

    await loop.wait_until_idle()   # returns as soon as the loop is idle
    await asyncio.sleep(5)         # ends as soon as the loop is idle: the clock moves on by 5 s

A normal loop sleeps in its selector when no callback is ready, until a file is ready or the next
timer is due. It does so in `_Selector.select()`. In cases 2 to 5 no callback is ready:

1. A callback is ready (timeout 0): select() looks at the files and returns. While callbacks are
   ready for very long, the clock moves on as in life: `while not done: await asyncio.sleep(0)`.
2. A thread wants to run, or has a result: select() lets it, and waits until it waits or ends.
3. The loop is idle and a coroutine waits in wait_until_idle(): select() wakes that coroutine.
4. The loop is idle and a timer is set: select() moves the clock to the timer.
5. Anything else, such as a socket: select() waits in real time, as a normal loop does.

A seed decides what in life the outside world decides: when threads get their turns and results
arrive, which of two timers for the same time comes first, and whether maybe_suspend() suspends.
With seed 0, everything comes in its natural order. What asyncio guarantees, such as the order of
call_soon(), holds with every seed. The machine decides nothing: threads.py says how.
"""

import asyncio
import heapq
import itertools
import math
import random
import selectors
from asyncio.events import TimerHandle
from asyncio.futures import _copy_future_state
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from types import coroutine
from weakref import WeakKeyDictionary

from ..faults.finding import Finding
from . import clock
from .blocking_calls import note_blocking_call
from .clock import EPOCH, ThreadSleep, simulated_clock
from .hashes import NumberedFuture, Task, number_hashes
from .threads import ThreadScheduler

CLOCK_RESOLUTION = 1e-9  # seconds; timers that are so close come at the same time
POOL_THREADS = 6  # of the default pool: asyncio's own number on a machine with two cores
SPIN_LIMIT = 1000  # iterations without a moment of idleness; then the clock moves on
SUSPENSIONS = (0, 0, 0, 1, 2, 6)  # of maybe_suspend(), of which a seed chooses

# The client whose application runs, or the worker. Each task that is started inherits it.
task_owner: ContextVar = ContextVar("owner of the task", default=None)


class _Timer(TimerHandle):
    """A timer. `order` decides between timers that are due at the same time."""

    __slots__ = ("order",)

    def __lt__(self, other):
        return self.order < other.order


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop with `wait_until_idle()`, on a clock that moves by the time spent asleep.

    The clock stands still while code runs, so a busy machine does not change what is timed.
    `thread_jobs_started` counts the jobs for threads: they are a part of what an event costs.
    """

    def __init__(self, seed: int = 0):
        self.thread_jobs_started = 0
        self.clock_reads = 0  # in this iteration
        self.event_numbers = itertools.count(1)
        # Tasks that wait at a switch point until another writer has acted.
        self.parked_tasks: set[asyncio.Task] = set()
        self.interleaving = None  # what happens at the switch points of a consumer, if anything
        self._timer_numbers = itertools.count()
        self.blocking_calls: list[Finding] = []
        self.thread_sleeps: list[ThreadSleep] = []
        self._now = EPOCH
        self._idle_waiters: list[asyncio.Future] = []
        # By owner. Weak, so that a finished task and all that it refers to can be freed. A
        # WeakSet has no order.
        self._tasks: dict[object, WeakKeyDictionary[asyncio.Task, None]] = {}
        self.thread_scheduler = ThreadScheduler(self)
        self._files = _Selector(self)
        super().__init__(self._files)
        self.set_task_factory(lambda loop, coro, **options: Task(coro, loop=loop, **options))
        number_hashes(seed)
        self._watched = self._files.get_map()
        self.random = self.thread_scheduler.random = random.Random(seed) if seed else None

    # The clock

    def time(self) -> float:
        return self._now

    def elapsed(self) -> float:
        """Seconds since the clock began, without the rounding errors of a float."""
        return round(self._now - EPOCH, 9)

    def move_to(self, when: float) -> None:
        """Move both clocks forward to the loop's time `when`, unless it is past."""
        self._now = max(self._now, when)
        # In a far future, the next float is farther away. Then a timer that is due is not exact.
        self._clock_resolution = max(CLOCK_RESOLUTION, math.ulp(self._now))

    def call_at(self, when, callback, *args, context=None):
        """As in asyncio. Of timers for the same time, the first or a random one comes first."""
        self._check_closed()
        return self.set_timer(when, callback, args, context)

    def set_timer(self, when, callback, args, context=None):
        """The timer, even if the loop is closed: a thread may still sleep when it has ended."""
        timer = _Timer(when, callback, args, self, context)
        rank = 0.0 if self.random is None else self.random.random()
        timer.order = (when, rank, next(self._timer_numbers))
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer

    def next_timer(self, ignored: type) -> float | None:
        """The time of the next timer, without those of owners of a type."""
        timers = (it for it in self._scheduled if not it.cancelled())
        times = (it.when() for it in timers if not isinstance(it._context.get(task_owner), ignored))
        return min(times, default=None)

    def advance_to_next_timer(self, timeout: float) -> None:
        """Move both clocks to the next timer, which is due after `timeout` seconds."""
        when = self._scheduled[0].when() if self._scheduled else self._now
        # asyncio sleeps for at most a day at a time
        self.move_to(when if when - self._now <= timeout else self._now + timeout)

    # Work on threads

    def note_blocking_call(self, seconds: float | None) -> None:
        """The loop's own thread has waited for another one; None if it waited in real time."""
        note_blocking_call(self, seconds)

    def run_in_executor(self, executor, func, *args):
        """As in asyncio. The loop decides when the job runs, and when its result arrives."""
        self._check_closed()
        if executor is None:
            self._check_default_executor()
            if self._default_executor is None:
                self._default_executor = ThreadPoolExecutor(POOL_THREADS, "asyncio")
            executor = self._default_executor
        self.thread_jobs_started += 1
        job = executor.submit(func, *args)
        result = self.create_future()
        result.add_done_callback(lambda result: result.cancelled() and job.cancel())
        job.add_done_callback(lambda job: self._job_is_done(executor, job, result))
        return result

    def _job_is_done(self, executor, job: Future, result: asyncio.Future) -> None:
        """Called in the job's thread."""

        def deliver():
            if not result.done():
                _copy_future_state(job, result)

        if result.done() or self.is_closed():
            return
        if self.random is None:
            self.call_soon_threadsafe(deliver)
        else:
            self.thread_scheduler.deliver(executor, deliver)

    def run_forever(self):
        """As in asyncio. Until it returns, threads run in turns, and all code sees its clock."""
        with nullcontext() if self.thread_scheduler.is_active else simulated_clock(self):
            super().run_forever()

    async def shutdown_default_executor(self, timeout=None):
        """As in asyncio, but without the time limit of Python 3.12: this clock would jump to it."""
        await super().shutdown_default_executor()

    # Tasks

    def create_future(self):
        return NumberedFuture(loop=self)

    def create_task(self, coro, **kwargs):
        """As in asyncio. The loop remembers the owner in whose context the task was started."""
        task = super().create_task(coro, **kwargs)
        context = kwargs.get("context")
        owner = task_owner.get() if context is None else context.get(task_owner)
        self._tasks.setdefault(owner, WeakKeyDictionary())[task] = None
        return task

    def tasks(self) -> list[asyncio.Task]:
        """Every task of the loop that still exists: those of each owner in their order."""
        return [task for tasks in self._tasks.values() for task in tasks]

    def other_tasks(self) -> list[asyncio.Task]:
        """The tasks that run, without the one that asks."""
        return [it for it in self.tasks() if not it.done() and it is not asyncio.current_task()]

    def tasks_of(self, owner) -> list[asyncio.Task]:
        """Every task that still exists, and was started while `task_owner` was this one."""
        return [*self._tasks.get(owner, ())]

    # Idleness

    async def wait_until_idle(self) -> None:
        """Return once no callback is ready and no thread can go on. Sleepers go on sleeping."""
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
        """Whether no thread and no network traffic can wake the loop."""
        return not self.has_files() and not self.thread_scheduler.has_work()

    def has_files(self) -> bool:
        """Whether it watches a file, such as a socket, besides the one that wakes it."""
        return len(self._watched) > self._internal_fds

    def wake_idle_waiters(self) -> bool:
        """Wake the tasks in wait_until_idle(). Returns False if no task waits."""
        waiting, self._idle_waiters = self._idle_waiters, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
        return bool(waiting)

    def _make_self_pipe(self):
        """Not before select() waits: it costs two sockets, and few conversations need it."""
        self._ssock = None

    def open_self_pipe(self) -> None:
        """Open what wakes the selector, unless it is open."""
        if self._ssock is None:
            super()._make_self_pipe()

    def add_signal_handler(self, sig, callback, *args):
        self.open_self_pipe()
        super().add_signal_handler(sig, callback, *args)

    def _close_self_pipe(self):
        if self._ssock:
            super()._close_self_pipe()

    def _write_to_self(self):
        """As in asyncio, but only while select() waits: a controlled thread runs at other times."""
        if self._files.waits:
            super()._write_to_self()


async def maybe_suspend() -> None:
    """Suspend zero to six times, as a call may that waits for the outside world.

    The running loop's seed decides. Another loop than this one never suspends.
    """
    if seeded := getattr(asyncio.get_running_loop(), "random", None):
        for _ in range(seeded.choice(SUSPENSIONS)):
            await suspend()


@coroutine
def suspend():
    """Let other tasks run, as asyncio.sleep(0) does, but without a switch point."""
    yield


class _Selector(selectors.DefaultSelector):
    """Acts when a normal loop would sleep. The module's docstring lists the cases."""

    def __init__(self, loop: SimulatedLoop):
        super().__init__()
        self._loop = loop
        self.waits = False  # it may wait in real time, and a thread has to wake it
        self._busy_iterations = 0

    def select(self, timeout=None):
        loop, scheduler = self._loop, self._loop.thread_scheduler
        loop.clock_reads = 0
        if timeout == 0:
            if scheduler.actions:
                scheduler.step(loop_is_busy=True)
            self._busy_iterations += 1
            if self._busy_iterations % SPIN_LIMIT == 0:
                self._end_spinning()
            return self._ready_files()
        self._busy_iterations = 0
        scheduler.set_alarms()
        while scheduler.timers_changed or scheduler.step(loop_is_busy=False):
            if scheduler.timers_changed or (loop._ready and not scheduler.go_on()):
                return self._ready_files()  # asyncio looks at the timers again
        is_idle = loop.has_no_work()
        ready = self._ready_files()
        if ready or loop._ready or (is_idle and loop.wake_idle_waiters()):
            return ready
        if is_idle and timeout is not None:
            # A thread may have acted since: then asyncio looks at the timers again.
            if not self._has_news():
                loop.advance_to_next_timer(timeout)
            return ready
        ready = self._wait(timeout, until_idle=not is_idle)
        is_over = ready or scheduler.actions or self._has_news() or loop.has_no_work()
        if timeout is not None and not is_over:
            loop.advance_to_next_timer(timeout)  # a timer was due before a thread was done
        return ready

    def _end_spinning(self) -> None:
        """Code spins until a timer is due, or until a task goes on that is parked."""
        if self._loop._scheduled:  # the steps grow, since the timer may be far away
            rounds = min(self._busy_iterations // SPIN_LIMIT, 20)
            self._loop.move_to(self._loop.time() + clock.READ_INTERVAL * 2**rounds)
        if self._loop.parked_tasks:
            self._loop.wake_idle_waiters()

    def _has_news(self) -> bool:
        """Whether a thread has acted since select() has looked."""
        scheduler = self._loop.thread_scheduler
        return bool(scheduler.new_sleepers() or self._loop._ready or scheduler.possible_actions())

    def _ready_files(self):
        """The files that are ready now. The loop's own one is written to only in _wait()."""
        return super().select(0) if self._loop.has_files() else []

    def _wait(self, timeout, until_idle):
        """Wait in real time for a file, or for a thread that writes to the loop's own one."""
        loop = self._loop
        loop.open_self_pipe()
        self.waits = True
        try:
            # A thread that has acted before this moment did not wake the selector.
            acted = self._has_news() or (until_idle and loop.has_no_work())
            return super().select(0 if acted else timeout)
        finally:
            self.waits = False
