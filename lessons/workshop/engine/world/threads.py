"""Lets one thread run at a time, in an order that the loop decides and the machine does not.

In life, jobs on threads run beside the event loop, and the machine decides which one is faster. So
a verdict could change from run to run. Here the loop hands out turns. A thread has its turn until
it waits or ends; the loop and all other threads wait for that. The loop hands out the next turn
when it has no callback to run, or after some iterations that the seed chose.

A thread is controlled if it does a job of a ThreadPoolExecutor, or was started, while control() is
active. The loop's own thread is controlled as well. It may wait for another thread, although it
should not. Then it hands out the turns from there.

How does this module know that a thread waits? Event, Semaphore, Barrier, queue.Queue and Future all
wait in Condition.wait(), which is replaced here. A thread that blocks in another way, such as in a
socket, does not say so. The loop notices that it sleeps, and goes on without it: it is `loose`.

Each thing that the loop can do next is an action: start a job or thread, resume a thread that was
notified, deliver the result of a job. The order within one executor's queue is always kept.
"""

import concurrent.futures.thread
import sys
import threading
import time
from _thread import allocate_lock, get_ident
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

LOOK_INTERVAL = 0.005  # seconds between two looks at a thread that has its turn
# looks in a row that find a thread asleep, until the loop goes on without it
LOOKS = 3 if sys.platform == "linux" else 50
START_TIMEOUT = 1.0  # seconds for a thread to take its first turn
SPIN_LIMIT = 100  # iterations of a loop that is never idle, until the next action
CPU_LIMIT = 1.0  # seconds that a thread may compute in a turn before the loop goes on without it
MAX_POLLS = 100  # waits of less than POLL_INTERVAL that a thread may make; later ones are longer
POLL_INTERVAL = 0.001
DELAYS = (0, 0, 0, 1, 1, 2, 3, 5, 8)  # iterations until an action, of which a seed chooses

usual_lock, usual_rlock = threading.Lock, threading.RLock
_usual_wait = threading.Condition.wait
_usual_start = threading.Thread.start
_usual_join = threading.Thread.join
_usual_submit = ThreadPoolExecutor.submit
_usual_shutdown = ThreadPoolExecutor.shutdown
_WorkItem = concurrent.futures.thread._WorkItem
_usual_run_item = _WorkItem.run
_real_time = time.monotonic
_own_cpu_time = time.thread_time

READY, RUNNING, WAITING, ENDED = "ready", "running", "waiting", "ended"

# The controlled threads by their id, and how often the replaced methods were asked for.
_controlled: dict[int, "ControlledThread"] = {}
_users = 0


def is_pool_thread(thread: threading.Thread) -> bool:
    """Whether this is a thread of a ThreadPoolExecutor: it stays when its jobs are done."""
    return getattr(thread, "_target", None) is concurrent.futures.thread._worker


class EngineThread(threading.Thread):
    """A thread of the engine itself. No code of a conversation runs in it, so no loop waits for it.

    Otherwise each jump of a loop's clock would wait about a millisecond of real time for it.
    """


class ControlledThread:
    """A thread, or one job of a pool, that runs only when it has its turn."""

    def __init__(self, turns: "ThreadTurns", executor=None, thread=None):
        self.turns, self.executor, self.thread = turns, executor, thread
        self.state = READY
        self.gate = allocate_lock()  # released once for each turn
        self.gate.acquire()
        self.ident: int | None = None
        self.native_id: int | None = None
        self.cpu_before = 0.0  # seconds that the thread had computed before its turn
        self.alarm = None  # the timer of a timed wait on the simulated clock
        self.deadline: float | None = None
        self.waits_in_real_time = False
        self.spins = False  # it computes and computes: the loop does not wait for it
        # The number of its last work that takes real time, such as a query, or of such work of a
        # thread that it has waited for.
        self.last_work = 0
        self.polls = 0  # how many very short waits it has made
        self.starts_thread = False  # waits for a new thread to exist, which needs no turn
        self.waiters: list[Waiter] = []  # threads that wait for its end

    @property
    def is_loop_thread(self) -> bool:
        """Whether the loop itself runs in this thread."""
        return self is self.turns.loop_thread

    def begin(self) -> bool:
        """In the thread: wait for the first turn. Returns False for a job that was cancelled."""
        self.gate.acquire()
        if self.state == ENDED:
            return False
        self.ident, self.native_id = get_ident(), threading.get_native_id()
        self.cpu_before = _own_cpu_time()
        _controlled[self.ident] = self
        return True

    def end(self) -> None:
        """In the thread: give the turn back for good."""
        _controlled.pop(self.ident, None)
        self.turns.ended(self)


class Waiter:
    """Stands among the waiters of a Condition. notify() calls release(), as it does on a lock."""

    __slots__ = ("is_released", "thread")

    def __init__(self, thread: ControlledThread):
        self.thread = thread
        self.is_released = False

    def release(self, released_by: ControlledThread | None = None) -> None:
        if self.is_released:
            raise RuntimeError("release unlocked lock")
        self.is_released = True
        if releaser := released_by or this_thread():
            self.thread.last_work = max(self.thread.last_work, releaser.last_work)
        self.thread.turns.wake(self.thread)


class _Job:
    """What a pool calls instead of the function that was submitted to it."""

    def __init__(self, controlled: ControlledThread, function):
        self.controlled = controlled
        self._function = function

    def __call__(self, *args, **kwargs):
        return self._function(*args, **kwargs)


class _Start:
    """Let a new thread, or the next job of an executor, begin."""

    def __init__(self, controlled: ControlledThread, future=None):
        self.controlled, self._future = controlled, future
        self.executor = controlled.executor

    def is_possible(self, earlier) -> bool:
        if self.executor is None:
            return True
        busy = self.controlled.turns.busy_workers[self.executor]
        behind = any(isinstance(it, _Start) and it.executor is self.executor for it in earlier)
        return not behind and busy < self.executor._max_workers

    def take(self) -> None:
        turns = self.controlled.turns
        if self._future is not None and self._future.cancelled():
            return  # the pool drops the job without a turn
        if self.executor is not None:
            turns.busy_workers[self.executor] += 1
        turns.let_run(self.controlled)


class _EmptyJob(_Start):
    """Do a job that does nothing: it has its place in the queue, but no thread."""

    def __init__(self, turns: "ThreadTurns", executor, do):
        super().__init__(ControlledThread(turns, executor))
        self.take = do


class _Resume:
    """Let a thread go on whose wait is over."""

    def __init__(self, controlled: ControlledThread):
        self.controlled = controlled

    def is_possible(self, earlier) -> bool:
        return True

    def take(self) -> None:
        self.controlled.turns.let_run(self.controlled)


class Delivery:
    """Give the loop a result. Those of an executor with one thread come in their order."""

    def __init__(self, executor, deliver):
        self.executor = executor if getattr(executor, "_max_workers", 1) == 1 else None
        self.take = deliver

    def is_possible(self, earlier) -> bool:
        return self.executor is None or not any(
            isinstance(it, Delivery) and it.executor is self.executor for it in earlier
        )


class ThreadTurns:
    """Hands out the turns of one loop. `random` decides; without one, the order is first come."""

    def __init__(self, loop):
        self.loop = loop
        self.random = None
        self.has_clock = False  # timed waits follow the loop's clock
        self.busy_workers: Counter = Counter()  # executor → jobs that have begun and not ended
        self.actions: list = []
        self._delays: dict[object, int] = {}
        self._threads: set[ControlledThread] = set()  # begun or about to begin, and not ended
        self.note_blocking_call: Callable[[float | None], None] | None = None
        self.held: Future | None = None  # its result lets a thread go on that a check holds
        self.loop_waits = False  # the loop's own thread waits for another one
        self.works = 0  # how often a thread has begun work that takes real time
        self.loop_thread: ControlledThread | None = None
        self._users = 0
        self._mutex = allocate_lock()
        self._stopped = allocate_lock()  # released when a thread stops or has an action
        self._new_alarms: list[ControlledThread] = []
        self.timers_changed = False

    # Control

    @contextmanager
    def control(self):
        """Within it, the threads that this thread starts, and theirs, run in turns."""
        global _users
        ident, before = get_ident(), _controlled.get(get_ident())
        if self._users == 0:
            self.loop_thread = ControlledThread(self)
            self.loop_thread.state, self.loop_thread.ident = RUNNING, ident
        _controlled[ident] = self.loop_thread
        self._users += 1
        _users += 1
        if _users == 1:
            _replace_methods()
        try:
            yield
        finally:
            _users -= 1
            self._users -= 1
            if before is None:
                del _controlled[ident]
            else:
                _controlled[ident] = before
            if _users == 0:
                _restore_methods()
            if self._users == 0:
                self._let_all_run()

    def _let_all_run(self) -> None:
        """Without control, every thread runs as it does in life."""
        with self._mutex:
            actions, self.actions = self.actions, []
            self._delays.clear()
            for action in actions:
                if isinstance(action, Delivery | _EmptyJob):
                    self.add(action)  # it needs the loop
                elif action.controlled.state != ENDED:  # a cancelled job has ended
                    action.controlled.state = RUNNING
                    action.controlled.gate.release()

    @property
    def is_active(self) -> bool:
        return self._users > 0

    def runs_loop_here(self) -> bool:
        """Whether the caller is a callback or coroutine of the loop."""
        return self.loop.is_running() and this_thread() is self.loop_thread

    def left_threads(self) -> list[str]:
        """Names of the threads that have not ended, and of the jobs that are not done."""
        return sorted(
            it.thread.name if it.thread else f"a job of {type(it.executor).__name__}"
            for it in tuple(self._threads)
        )

    def unfinished_jobs(self) -> set[ControlledThread]:
        """The jobs of all executors that have not ended."""
        return {it for it in tuple(self._threads) if it.executor is not None}

    # Actions

    def add(self, action) -> None:
        """The loop can take this action from now on."""
        self._delays[action] = SPIN_LIMIT if self.random is None else self.random.choice(DELAYS)
        self.actions.append(action)

    def step(self, loop_is_busy: bool) -> bool:
        """Take one action, if it is time for one. Returns whether it was."""
        if loop_is_busy:
            for action in self.actions:
                self._delays[action] -= 1
        possible = self.possible_actions() if self.actions else []
        if loop_is_busy:
            possible = [action for action in possible if self._delays[action] < 0]
        if not possible:
            return False
        action = possible[0] if self.random is None else self.random.choice(possible)
        self._take(action)
        return True

    def go_on(self) -> bool:
        """Whether another action comes before the loop runs: two results may arrive at once."""
        return self.random is not None and bool(self.actions) and self.random.choice((True, False))

    def _is_loose(self, thread: ControlledThread) -> bool:
        """Whether the thread runs, or waits in real time, although it has no turn."""
        return thread.state == RUNNING or (thread.state == WAITING and thread.waits_in_real_time)

    def _counts(self, thread: ControlledThread) -> bool:
        """Whether the loop waits for this loose thread.

        Without the simulated clock, the thread may sleep for a long time. So the loop waits only
        for jobs, and for the threads in which asyncio waits for a process.
        """
        is_job = thread.executor is not None
        if thread.spins:
            return False
        return is_job or self.has_clock or "waitpid-" in thread.thread.name

    def possible_actions(self) -> list:
        """The actions that do not have to wait for another one."""
        actions = self.actions[:]
        return [it for number, it in enumerate(actions) if it.is_possible(actions[:number])]

    def _take(self, action) -> None:
        with self._mutex:
            self.actions.remove(action)
            del self._delays[action]
        action.take()
        self.set_alarms()

    def has_work(self, held: set[int]) -> bool:
        """Whether a thread can go on without the loop, and is not held."""
        for thread in tuple(self._threads):
            if thread.ident not in held and self._is_loose(thread) and self._counts(thread):
                return True
        return any(
            isinstance(it, Delivery) or it.controlled.ident not in held
            for it in self.possible_actions()
        )

    # Turns, in the loop's thread

    def let_run(self, thread: ControlledThread) -> None:
        """Give `thread` the turn, until it waits or ends, or is found to block in another way."""
        thread.state = RUNNING
        thread.gate.release()
        begun, looks, position = _real_time(), 0, None
        while thread.state == RUNNING:
            if self._stopped.acquire(timeout=LOOK_INTERVAL):
                continue
            if thread.ident is None:
                if _real_time() - begun > START_TIMEOUT:
                    return
                continue
            before, position = position, _position(thread)
            looks = looks + 1 if position is not None and position == before else 0
            if looks == LOOKS:
                self.note_work(thread)
                return
            if _real_time() - begun > CPU_LIMIT and _cpu_of_turn(thread) > CPU_LIMIT:
                thread.spins = True
                self.note_work(thread)
                return
        if thread.state == ENDED and thread.thread is not None:
            _usual_join(thread.thread)

    def deliver(self, executor, function) -> None:
        """The result of a job is there: the loop calls `function` when it is time."""
        with self._mutex:
            self.add(Delivery(executor, function))
        self.signal()

    def has_unknown_threads(self) -> bool:
        """Whether a thread runs that is not controlled. Idle pools and the engine do not count."""
        if threading.active_count() == 1:
            return False
        if any(self._is_loose(it) for it in tuple(self._threads)):
            return True
        known = {get_ident(), threading.main_thread().ident, *_controlled}
        return any(
            not (it.ident in known or is_pool_thread(it) or isinstance(it, EngineThread))
            for it in threading.enumerate()
        )

    def note_work(self, thread: ControlledThread) -> None:
        """The thread begins work that takes real time: a query, for example."""
        self.works += 1
        thread.last_work = self.works

    @property
    def has_new_alarms(self) -> bool:
        """Whether a thread has begun a timed wait for which the loop has no timer yet."""
        return bool(self._new_alarms)

    def set_alarms(self) -> None:
        """Set the loop's timers for the threads that have begun a timed wait."""
        self.timers_changed = bool(self._new_alarms)
        while self._new_alarms:
            thread = self._new_alarms.pop(0)
            if thread.state == WAITING and thread.deadline is not None:
                thread.alarm = self.loop.call_at(thread.deadline, self.wake, thread)

    def _wait_in_loop_thread(self, waiter: Waiter, timeout: float | None) -> None:
        """The loop's own thread waits: it hands out turns until its wait is over."""
        clock = self.loop.time if self.has_clock else _real_time
        deadline = None if timeout is None else clock() + timeout
        while not waiter.is_released:
            self.set_alarms()
            if self.step(loop_is_busy=False) or self._let_held_thread_go_on():
                continue
            sleeper = self._next_sleeper()
            if self.has_clock and not self._has_loose_threads():
                if waiter.is_released or self._new_alarms or self.possible_actions():
                    continue  # a loose thread has acted since, and has stopped or ended
                if sleeper and (deadline is None or sleeper.deadline < deadline):
                    self.loop.move_to(sleeper.deadline)
                    self.wake(sleeper)
                    continue
                if deadline is not None:
                    self.loop.move_to(deadline)
                    return
            if deadline is None:
                self._stopped.acquire()
            elif not self._stopped.acquire(timeout=max(0.0, deadline - clock())):
                if self.has_clock:
                    self.loop.move_to(deadline)
                return

    def _let_held_thread_go_on(self) -> bool:
        """In life nothing holds the thread for which the loop waits. Returns False without one."""
        held, self.held = self.held, None
        if held is None or held.done():
            return False
        held.set_result(None)
        return True

    def _next_sleeper(self) -> ControlledThread | None:
        sleepers = [it for it in tuple(self._threads) if it.state == WAITING and it.alarm]
        return min(sleepers, key=lambda it: it.alarm.order, default=None)

    def _has_loose_threads(self) -> bool:
        return any(it.state == RUNNING for it in tuple(self._threads))

    # Waits, in any thread

    def wait(self, thread: ControlledThread, waiter: Waiter, timeout: float | None) -> bool:
        """`thread` waits until the waiter is released. Returns whether it was, in time."""
        if thread is self.loop_thread:
            begun, works = self.loop.time(), self.works
            self.loop_waits = True
            try:
                self._wait_in_loop_thread(waiter, timeout)
            finally:
                self.loop_waits = False
            if self.note_blocking_call and timeout != 0 and self.loop.is_running():
                seconds = self.loop.time() - begun
                # A query on the other thread takes real time only.
                has_waited_for_work = thread.last_work > works
                self.note_blocking_call(seconds or (None if has_waited_for_work else 0.0))
            return waiter.is_released
        if waiter.is_released:
            return True
        real_timeout = -1.0
        with self._mutex:
            thread.state, thread.alarm = WAITING, None
            if timeout is not None and self.has_clock:
                if timeout < POLL_INTERVAL:
                    thread.polls += 1
                    timeout = timeout if thread.polls <= MAX_POLLS else POLL_INTERVAL
                thread.deadline = self.loop.time() + timeout
                self._new_alarms.append(thread)
            elif timeout is not None:
                real_timeout = min(timeout, threading.TIMEOUT_MAX)
                thread.waits_in_real_time = True
        if waiter.is_released:
            self.wake(thread)
        self.signal()
        if not thread.gate.acquire(timeout=real_timeout):
            self.wake(thread)
            thread.gate.acquire()
        thread.cpu_before = _own_cpu_time()
        thread.waits_in_real_time = False
        thread.deadline = None
        return waiter.is_released

    def end_timed_waits(self) -> None:
        """The clock will not move any more: all that waits for a time goes on now."""
        for thread in tuple(self._threads):
            if thread.state == WAITING and thread.deadline is not None:
                self.wake(thread)

    def wake(self, thread: ControlledThread) -> None:
        """The wait of `thread` is over: it may go on when it gets a turn."""
        with self._mutex:
            if thread.state == WAITING:
                if thread.alarm:
                    thread.alarm.cancel()
                    thread.alarm = None
                if self.is_active:
                    thread.state = READY
                    self.add(_Resume(thread))
                else:
                    thread.state = RUNNING
                    thread.gate.release()
        self.signal()

    def signal(self) -> None:
        """Let the loop's thread look again."""
        with suppress(RuntimeError):
            self._stopped.release()
        self.loop.wake_selector()

    # Jobs and threads begin and end

    def new_job(self, executor, function) -> _Job:
        job = _Job(ControlledThread(self, executor), function)
        self._threads.add(job.controlled)
        return job

    def queue(self, controlled: ControlledThread, future=None) -> None:
        """A job was submitted, or a thread started."""
        with self._mutex:
            self._threads.add(controlled)
            if self.is_active:
                self.add(_Start(controlled, future))
            else:
                controlled.gate.release()
        if future is not None:
            future.add_done_callback(lambda it: it.cancelled() and self.cancelled(controlled))
        self.signal()

    def queue_empty_job(self, executor, do: Callable[[], None]) -> None:
        """A job was submitted that does nothing. The loop calls `do` when it is its turn."""
        with self._mutex:
            self.add(_EmptyJob(self, executor, do))

    def ended(self, controlled: ControlledThread) -> None:
        """A thread has ended, or a job is done."""
        if controlled.executor is not None:
            self.busy_workers[controlled.executor] -= 1
        self.dropped(controlled)

    def cancelled(self, controlled: ControlledThread) -> None:
        """A job was cancelled before its first turn. The pool's thread may wait for that turn."""
        self.dropped(controlled)
        with suppress(RuntimeError):
            controlled.gate.release()

    def dropped(self, controlled: ControlledThread) -> None:
        """Nothing waits for this one any more: it has ended, or will never begin."""
        self._threads.discard(controlled)
        controlled.state = ENDED
        for waiter in controlled.waiters:
            waiter.release(controlled)
        self.signal()

    def unfinished(self, executor) -> list[ControlledThread]:
        """The jobs of an executor that have not ended."""
        return [it for it in tuple(self._threads) if it.executor is executor]

    def wait_for_end(self, waiting: ControlledThread, other: ControlledThread, timeout) -> None:
        waiter = Waiter(waiting)
        other.waiters.append(waiter)
        if other.state != ENDED:
            self.wait(waiting, waiter, timeout)


def note_work() -> None:
    """The calling thread, if it is controlled, begins work that takes real time."""
    if (thread := this_thread()) and not thread.is_loop_thread:
        thread.turns.note_work(thread)


def sleep(thread: ControlledThread, seconds: float) -> None:
    """`thread`, which is the caller, sleeps on the clock of its loop."""
    thread.turns.wait(thread, Waiter(thread), seconds)


class Lock:
    """As threading.Lock, but the loop knows which thread waits for it."""

    def __init__(self):
        self._lock = allocate_lock()
        self._waiters: deque[Waiter] = deque()

    def acquire(self, blocking=True, timeout=-1):
        if self._lock.acquire(False):
            return True
        thread = this_thread()
        if thread is None or not blocking or timeout == 0:
            return self._lock.acquire(blocking, timeout)
        return self._acquire_in_turns(thread, timeout)

    def _acquire_in_turns(self, thread: ControlledThread, timeout: float) -> bool:
        clock = thread.turns.loop.time if thread.turns.has_clock else _real_time
        deadline = None if timeout < 0 else clock() + timeout
        while True:
            waiter = Waiter(thread)
            self._waiters.append(waiter)
            left = None if deadline is None else max(0.0, deadline - clock())
            if not self._lock.acquire(False):
                thread.turns.wait(thread, waiter, left)
            elif not waiter.is_released:
                self._waiters.remove(waiter)
                return True
            else:
                return True
            if self._lock.acquire(False):
                return True
            if not waiter.is_released:
                self._waiters.remove(waiter)
                return False

    def release(self):
        self._lock.release()
        if self._waiters:
            self._waiters.popleft().release()

    def locked(self):
        return self._lock.locked()

    __enter__ = acquire

    def __exit__(self, *_):
        self.release()

    def _at_fork_reinit(self):
        self.__init__()


class RLock(threading._PyRLock):
    """As threading.RLock, but the loop knows which thread waits for it."""

    def __init__(self):
        super().__init__()
        self._block = Lock()

    __enter__ = threading._PyRLock.acquire


# What threading and concurrent.futures do while a loop controls threads


def this_thread() -> ControlledThread | None:
    """The controlled thread that calls this."""
    thread = _controlled.get(get_ident())
    return None if thread is None or thread.starts_thread else thread


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
        in_time = thread.turns.wait(thread, waiter, timeout)
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
    if not is_pool_thread(self):
        self._controlled = ControlledThread(thread.turns, thread=self)
        self.run = _in_turns(self._controlled, self.run)
    thread.starts_thread = True
    try:
        _usual_start(self)
    finally:
        thread.starts_thread = False
    if not is_pool_thread(self):
        thread.turns.queue(self._controlled)


def _in_turns(controlled: ControlledThread, run):
    def run_in_turns():
        controlled.begin()
        try:
            run()
        finally:
            controlled.end()

    return run_in_turns


def _join(self, timeout=None):
    thread, other = this_thread(), getattr(self, "_controlled", None)
    if thread is not None and other is not None and other.state != ENDED and other is not thread:
        if timeout is None or timeout > 0:
            thread.turns.wait_for_end(thread, other, timeout)
        if other.state != ENDED:
            return None
    return _usual_join(self, timeout)


def _submit(self, fn, /, *args, **kwargs):
    thread = this_thread()
    if thread is None or _runs_another_loop(thread):
        return _usual_submit(self, fn, *args, **kwargs)
    job = thread.turns.new_job(self, fn)
    try:
        thread.starts_thread = True
        future = _usual_submit(self, job, *args, **kwargs)
    except BaseException:
        thread.turns._threads.discard(job.controlled)
        raise
    finally:
        thread.starts_thread = False
    thread.turns.queue(job.controlled, future)
    return future


def _runs_another_loop(thread: ControlledThread) -> bool:
    """Whether this thread runs a loop that waits in real time for its jobs: they run at once."""
    import asyncio

    running = asyncio._get_running_loop()
    is_other = running is not None and running is not thread.turns.loop
    return is_other and not thread.turns.has_clock


def _run_item(self, *args):
    function = getattr(self, "fn", None) or self.task[0]
    if not isinstance(function, _Job):
        return _usual_run_item(self, *args)
    controlled = function.controlled
    if self.future.cancelled() or not controlled.begin():
        return _usual_run_item(self, *args)  # the pool drops a cancelled job
    try:
        _usual_run_item(self, *args)
    finally:
        controlled.end()


def _shutdown(self, wait=True, *, cancel_futures=False):
    thread = this_thread()
    if thread is None or not wait:
        return _usual_shutdown(self, wait, cancel_futures=cancel_futures)
    _usual_shutdown(self, False, cancel_futures=cancel_futures)
    for job in thread.turns.unfinished(self):
        if job is not thread:
            thread.turns.wait_for_end(thread, job, None)
    return _usual_shutdown(self, True)


_REPLACED = (
    (threading.Condition, "wait", _wait, _usual_wait),
    (threading.Thread, "start", _start, _usual_start),
    (threading.Thread, "join", _join, _usual_join),
    (ThreadPoolExecutor, "submit", _submit, _usual_submit),
    (ThreadPoolExecutor, "shutdown", _shutdown, _usual_shutdown),
    (_WorkItem, "run", _run_item, _usual_run_item),
)


def _replace_methods() -> None:
    for owner, name, replacement, _ in _REPLACED:
        setattr(owner, name, replacement)


def _restore_methods() -> None:
    for owner, name, _, usual in _REPLACED:
        setattr(owner, name, usual)


def _cpu_of_turn(thread: ControlledThread) -> float:
    """Seconds of computing in this turn; endless where the system does not count them."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return float("inf")
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(thread.ident)) - thread.cpu_before
    except OSError:
        return 0.0


def _position(thread: ControlledThread):
    """Where a thread is, if it sleeps there; None if it works, or waits for a processor."""
    frame = sys._current_frames().get(thread.ident)
    if frame is None:
        return None
    if sys.platform == "linux":
        try:
            with open(f"/proc/self/task/{thread.native_id}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] != "S":
                    return None
        except OSError:
            return None
    return id(frame), frame.f_lasti
