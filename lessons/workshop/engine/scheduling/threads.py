"""Lets one thread run at a time, in an order that the loop decides and the machine does not.

In life, jobs on threads run beside the event loop, and the machine decides which one is faster. So
a verdict could change from run to run. Here the loop hands out turns. A job has its turn until it
waits or ends; the loop and all other jobs wait for that. The loop hands out the next turn when it
has no callback to run, or after some iterations that the seed chose.

What a controlled thread starts is controlled: threads, and jobs of a ThreadPoolExecutor. The loop's
own thread is the first. It may wait for a job, although it should not: then it hands out the turns
from there.

A controlled thread announces its waits. Event, Semaphore, Barrier, queue.Queue and Future all wait
in Condition.wait(), which is replaced here, and clock.py replaces time.sleep(). Other waits, such
as for a socket, a lock or another event loop, are not announced: after TURN_LIMIT the loop goes on
beside the job. But it is not idle before the job has ended or waits.

Each thing that the loop can do next is an action: start a job or thread, resume a thread that was
notified, deliver the result of a job. The order within one executor's queue is always kept.
"""

import asyncio
import concurrent.futures
import threading
from _thread import allocate_lock, get_ident
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.thread import _worker
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from django.db import close_old_connections

from .patience import LOOK_INTERVAL, Patience

TURN_LIMIT = 1.0  # seconds of work, or of idleness: far more than a query takes
SPIN_LIMIT = 100  # iterations of a loop that is never idle, until the next action
POLL_INTERVAL = 0.001  # seconds that a timed wait of a thread takes at least
DELAYS = (0, 0, 0, 1, 1, 2, 3, 5, 8)  # iterations until an action, of which a seed chooses

_usual_wait = threading.Condition.wait
_usual_start = threading.Thread.start
_usual_join = threading.Thread.join
_usual_submit = ThreadPoolExecutor.submit
_usual_shutdown = ThreadPoolExecutor.shutdown

READY, RUNNING, WAITING, ENDED = "ready", "running", "waiting", "ended"

_controlled: dict[int, "ControlledThread"] = {}  # by the id of the thread


def this_thread() -> "ControlledThread | None":
    return _controlled.get(get_ident())


def has_connections(executor: ThreadPoolExecutor) -> bool:
    """Whether a thread of the pool has a database connection. fresh_database() replaces this."""
    return False


def is_pool_thread(thread: threading.Thread) -> bool:
    """Whether this is a thread of a ThreadPoolExecutor: it stays when its jobs are done."""
    return getattr(thread, "_target", None) is _worker


class ControlledThread:
    """A thread, or one job of a pool, that runs only when it has its turn.

    A pool gets the job at its first turn, so that its worker runs the job without another wait.
    """

    def __init__(self, scheduler: "ThreadScheduler", executor=None, thread=None, function=None):
        self.scheduler, self.executor, self.thread = scheduler, executor, thread
        self._function = function
        self.state = READY
        self.gate = allocate_lock()  # released once for each turn
        self.gate.acquire()
        self.ident: int | None = None
        self.future: Future = Future()  # done when it has ended; the result is that of the function
        self.alarm = None  # the timer of a timed wait
        self.deadline: float | None = None
        self._is_started = executor is None

    @property
    def is_empty(self) -> bool:
        """Whether it is the clean-up before a handler, and has no connection to close.

        Channels lets close_old_connections() run before each handler, in a partial() of asgiref.
        """
        arguments = getattr(self._function, "args", None)
        called = getattr(arguments[-1], "func", None) if arguments else None
        return called is close_old_connections and not has_connections(self.executor)

    @property
    def is_loop_thread(self) -> bool:
        return self is self.scheduler.loop_thread

    def open_gate(self) -> None:
        """Give it the turn."""
        self.state = RUNNING
        self.gate.release()
        self.start()

    def start(self) -> None:
        """Give a job to its pool."""
        if not self._is_started:
            self._is_started = True
            _usual_submit(self.executor, self.run_in_turns)

    def run_in_turns(self) -> None:
        """In the thread: wait for the first turn, run, and give the turn back for good."""
        self.gate.acquire()
        if not self.future.set_running_or_notify_cancel():
            return
        self.ident = get_ident()
        _controlled[self.ident] = self
        try:
            self.future.set_result(self._function())
        except BaseException as error:
            self.future.set_exception(error)
            if self.executor is None:  # threading prints it
                raise
        finally:
            self._function = None  # it may refer to the exception
            del _controlled[self.ident]
            self.scheduler.busy_workers[self.executor] -= 1
            self.scheduler.remove(self)


class Waiter:
    """Stands among the waiters of a Condition. notify() calls release(), as it does on a lock."""

    __slots__ = ("is_released", "thread")

    def __init__(self, thread: ControlledThread):
        self.thread = thread
        self.is_released = False

    def release(self) -> None:
        self.is_released = True
        self.thread.scheduler.wake(self.thread)


@dataclass(eq=False)
class Action:
    """What the loop can do next: it calls `take`. `thread` is the thread that goes on then.

    Of the actions with the same `queue`, which is ("jobs" or "results", executor), the first comes
    first. While the loop is busy, the action has to wait for `delay` iterations.
    """

    take: Callable[[], None]
    thread: ControlledThread | None = None
    queue: tuple | None = None
    delay: int = 0


class ThreadScheduler:
    """Hands out the turns of one loop. `random` decides; without one, the order is first come."""

    def __init__(self, loop):
        self.loop = loop
        self.random = None
        self.busy_workers: Counter = Counter()  # executor → jobs that have begun and not ended
        self.actions: list[Action] = []
        # Begun or about to begin, and not ended. The values mean nothing: a dict keeps its order.
        self._threads: dict[ControlledThread, None] = {}
        self.parked: Future | None = None  # its result lets a thread go on that waits for a check
        self.loop_waits = False  # the loop's own thread waits for another one
        self.works = 0  # how often a thread has begun work that takes real time, such as a query
        self.loop_thread: ControlledThread | None = None
        self.is_active = False
        self._mutex = allocate_lock()
        self._stopped = allocate_lock()  # released when a thread stops or has an action
        self.timers_changed = False

    # Control

    @contextmanager
    def control(self):
        """Within it, the threads that this thread starts, and theirs, run in turns."""
        before, own = this_thread(), ControlledThread(self)
        own.state, own.ident = RUNNING, get_ident()
        self.loop_thread = _controlled[own.ident] = own
        self.is_active = True
        try:
            yield
        finally:
            self.is_active = False
            if before is None:
                del _controlled[own.ident]
            else:
                _controlled[own.ident] = before
            self._let_all_run()

    def _let_all_run(self) -> None:
        with self._mutex:
            actions, self.actions = self.actions, []
            for action in actions:
                if action.thread is None:
                    self._add(action)  # it needs the loop
                elif action.thread.state != ENDED:  # a cancelled job has ended
                    action.thread.open_gate()
        for thread in tuple(self._threads):
            if thread.deadline is not None:
                self.wake(thread)  # the clock will not move any more

    @property
    def parks_thread(self) -> bool:
        """Whether a thread waits for a check to act."""
        return self.parked is not None and not self.parked.done()

    def unfinished_jobs(self) -> list[ControlledThread]:
        """The jobs of all executors that have not ended, in the order of their submission."""
        return [it for it in tuple(self._threads) if it.executor is not None]

    # Actions

    def _add(self, action: Action) -> None:
        action.delay = SPIN_LIMIT if self.random is None else self.random.choice(DELAYS)
        self.actions.append(action)

    def step(self, loop_is_busy: bool) -> bool:
        """Take one action, if it is time for one. Returns whether it was."""
        if loop_is_busy:
            for action in self.actions:
                action.delay -= 1
        possible = self.possible_actions() if self.actions else []
        if loop_is_busy:
            possible = [action for action in possible if action.delay < 0]
        if not possible:
            return False
        action = possible[0] if self.random is None else self.random.choice(possible)
        with self._mutex:
            self.actions.remove(action)
        action.take()
        self.set_alarms()
        return True

    def go_on(self) -> bool:
        """Whether another action comes before the loop runs: two results may arrive at once."""
        return self.random is not None and bool(self.actions) and self.random.choice((True, False))

    def possible_actions(self) -> list[Action]:
        """The actions that do not have to wait for another one."""
        queues, possible = set(), []
        for action in self.actions[:]:
            kind, executor = action.queue or (None, None)
            has_worker = kind != "jobs" or self.busy_workers[executor] < executor._max_workers
            if action.queue not in queues and has_worker:
                possible.append(action)
            if action.queue:
                queues.add(action.queue)
        return possible

    def has_work(self) -> bool:
        """Whether a thread can go on without the loop."""
        return self._is_one_running() or bool(self.possible_actions())

    def _is_one_running(self) -> bool:
        return any(it.state == RUNNING for it in tuple(self._threads))

    # Turns, in the loop's thread

    def _let_run(self, thread: ControlledThread) -> None:
        """Give `thread` the turn, until it announces a wait, ends, or the turn is too long."""
        thread.open_gate()
        patience = None
        while thread.state == RUNNING:
            if not self._stopped.acquire(timeout=LOOK_INTERVAL):
                patience = patience or Patience(TURN_LIMIT, TURN_LIMIT)
                if patience.is_over():
                    self.works += 1
                    return
        if thread.state == ENDED and thread.thread is not None:
            _usual_join(thread.thread)

    def _begin(self, thread: ControlledThread) -> None:
        if thread.future.cancelled():
            return
        if thread.is_empty:
            thread.future.set_result(None)
            self.remove(thread)
            return
        self.busy_workers[thread.executor] += 1
        self._let_run(thread)

    def deliver(self, executor, function: Callable[[], None]) -> None:
        """The result of a job is there: the loop calls `function` when it is time.

        The results of an executor with one thread arrive in their order.
        """
        has_order = getattr(executor, "_max_workers", 1) == 1
        with self._mutex:
            self._add(Action(function, queue=("results", executor) if has_order else None))
        self.signal()

    def new_sleepers(self) -> list[ControlledThread]:
        """The threads that have begun a timed wait for which the loop has no timer yet."""
        timed = [it for it in tuple(self._threads) if it.deadline is not None]
        return [it for it in timed if it.state == WAITING and it.alarm is None]

    def set_alarms(self) -> None:
        """Set the loop's timers for the threads that have begun a timed wait."""
        self.timers_changed = False
        for thread in self.new_sleepers():
            thread.alarm = self.loop.set_timer(thread.deadline, self.wake, (thread,))
            self.timers_changed = True

    def _block_loop(self, waiter: Waiter, timeout: float | None) -> None:
        begun, works = self.loop.time(), self.works
        self.loop_waits = True
        try:
            self._wait_in_loop_thread(waiter, timeout)
        finally:
            self.loop_waits = False
        if timeout != 0 and self.loop.is_running():
            # A query on the other thread takes real time only.
            instead = 0.0 if self.works == works else None
            self.loop.note_blocking_call(self.loop.time() - begun or instead)

    def _wait_in_loop_thread(self, waiter: Waiter, timeout: float | None) -> None:
        """Hand out turns until the wait is over."""
        deadline = None if timeout is None else self.loop.time() + timeout
        while not waiter.is_released:
            self.set_alarms()
            if self.step(loop_is_busy=False):
                continue
            if self.parks_thread:  # in life nothing parks the thread for which the loop waits
                self.parked.set_result(None)
                continue
            if self._is_one_running():
                left = -1 if deadline is None else max(0.0, deadline - self.loop.time())
                is_in_time = self._stopped.acquire(timeout=left)
            elif waiter.is_released or self.new_sleepers() or self.possible_actions():
                continue  # such a job has acted since, and has stopped or ended
            else:
                is_in_time = self._move_to_next_deadline(deadline)
            if not is_in_time:
                self.loop.move_to(deadline)
                return

    def _move_to_next_deadline(self, deadline: float | None) -> bool:
        """Nothing can go on now. Returns False if nothing can before the deadline either."""
        sleepers = [it for it in tuple(self._threads) if it.state == WAITING and it.alarm]
        sleeper = min(sleepers, key=lambda it: it.alarm.order, default=None)
        if sleeper and (deadline is None or sleeper.deadline < deadline):
            self.loop.move_to(sleeper.deadline)
            self.wake(sleeper)
            return True
        return deadline is None and self._stopped.acquire()

    # Waits, in any thread

    def wait(self, thread: ControlledThread, waiter: Waiter, timeout: float | None) -> bool:
        """`thread` waits until the waiter is released. Returns whether it was, in time."""
        if thread is self.loop_thread:
            self._block_loop(waiter, timeout)
        elif not waiter.is_released:
            self._give_turn_back(thread, waiter, timeout)
        return waiter.is_released

    def _give_turn_back(self, job: ControlledThread, waiter: Waiter, timeout) -> None:
        with self._mutex:
            job.state, job.alarm = WAITING, None
            if timeout is not None:
                # A thread that polls must not take a turn for each microsecond.
                job.deadline = self.loop.time() + max(timeout, POLL_INTERVAL)
        if waiter.is_released:
            self.wake(job)
        self.signal()
        job.gate.acquire()
        job.deadline = None

    def wake(self, thread: ControlledThread) -> None:
        """The wait of `thread` is over: it may go on when it gets a turn."""
        with self._mutex:
            if thread.state == WAITING:
                if thread.alarm:
                    thread.alarm.cancel()
                    thread.alarm = None
                if self.is_active:
                    thread.state = READY
                    self._add(Action(partial(self._let_run, thread), thread))
                else:
                    thread.open_gate()
        self.signal()

    def signal(self) -> None:
        """Let the loop's thread look again."""
        with suppress(RuntimeError):
            self._stopped.release()
        self.loop._write_to_self()

    # Jobs and threads begin and end

    def submit(self, executor, function, *args, **kwargs) -> Future:
        """As executor.submit(), but the job waits for its turn."""
        job = ControlledThread(self, executor, function=partial(function, *args, **kwargs))
        self.queue(job)
        job.future.add_done_callback(lambda future: future.cancelled() and self._cancelled(job))
        return job.future

    def queue(self, thread: ControlledThread) -> None:
        """A job was submitted, or a thread started."""
        with self._mutex:
            self._threads[thread] = None
            if self.is_active:
                queue = thread.executor and ("jobs", thread.executor)
                self._add(Action(partial(self._begin, thread), thread, queue))
            else:
                thread.open_gate()
        self.signal()

    def _cancelled(self, job: ControlledThread) -> None:
        """A job was cancelled before its first turn. The pool's thread may wait for that turn."""
        self.remove(job)
        with suppress(RuntimeError):
            job.gate.release()

    def remove(self, thread: ControlledThread) -> None:
        """The thread has ended."""
        self._threads.pop(thread, None)
        thread.state = ENDED
        self.signal()


def note_work() -> None:
    """The calling thread, if it is controlled, begins work that takes real time."""
    if (thread := this_thread()) and not thread.is_loop_thread:
        thread.scheduler.works += 1


def sleep(thread: ControlledThread, seconds: float) -> None:
    """`thread`, which is the caller, sleeps on the clock of its loop."""
    thread.scheduler.wait(thread, Waiter(thread), seconds)


# What threading and concurrent.futures do while a loop controls threads


def _wait(self, timeout=None):
    thread = this_thread()
    if thread is None or (timeout is not None and timeout <= 0):
        return _usual_wait(self, timeout)
    if not self._is_owned():
        raise RuntimeError("cannot wait on un-acquired lock")
    waiter = Waiter(thread)
    self._waiters.append(waiter)
    saved_state = self._release_save()
    in_time = False
    try:
        in_time = thread.scheduler.wait(thread, waiter, timeout)
        return in_time
    finally:
        self._acquire_restore(saved_state)
        if not in_time:
            with suppress(ValueError):
                self._waiters.remove(waiter)


def _start(self):
    thread = this_thread()
    if thread is None or not self._initialized or self._started.is_set():
        _usual_start(self)
        return
    started = None
    if not is_pool_thread(self):
        started = self._controlled = ControlledThread(thread.scheduler, None, self, self.run)
        self.run = started.run_in_turns
    # It waits until the new thread exists, which needs no turn.
    del _controlled[thread.ident]
    try:
        _usual_start(self)
    finally:
        _controlled[thread.ident] = thread
    if started:
        thread.scheduler.queue(started)


def _join(self, timeout=None):
    thread, other = this_thread(), getattr(self, "_controlled", None)
    if thread is not None and other is not None and other is not thread:
        concurrent.futures.wait([other.future], timeout)
        if not other.future.done():
            return
    _usual_join(self, timeout)


def _submit(self, fn, /, *args, **kwargs):
    thread = this_thread()
    # Another loop in this thread does not announce that it waits for the job. A pool that was shut
    # down raises.
    is_of_loop = thread and asyncio._get_running_loop() in (None, thread.scheduler.loop)
    if not is_of_loop or self._shutdown:
        return _usual_submit(self, fn, *args, **kwargs)
    return thread.scheduler.submit(self, fn, *args, **kwargs)


def _shutdown(self, wait=True, *, cancel_futures=False):
    if thread := this_thread():
        others = (it for it in thread.scheduler.unfinished_jobs() if it is not thread)
        jobs = [it for it in others if it.executor is self]
        jobs = [it for it in jobs if not (cancel_futures and it.future.cancel())]
        for job in jobs:
            job.start()  # the pool takes no job after this
    _usual_shutdown(self, wait and thread is None, cancel_futures=cancel_futures)
    if wait and thread is not None:
        concurrent.futures.wait([job.future for job in jobs])
        _usual_shutdown(self, True)


REPLACED = (
    (threading.Condition, "wait", _wait),
    (threading.Thread, "start", _start),
    (threading.Thread, "join", _join),
    (ThreadPoolExecutor, "submit", _submit),
    (ThreadPoolExecutor, "shutdown", _shutdown),
)
