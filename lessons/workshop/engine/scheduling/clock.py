"""One clock for all that a student's code can read: it shows the time of the simulated loop.

    with simulated_clock(loop):
        subject = load_subject(target)      # the student's file reads the clock when it is imported
        loop.run_until_complete(...)        # and later it reads another time

Within it, time.monotonic(), time.perf_counter(), time.time() and datetime.now() follow the loop's
clock. That clock stands still while code runs, and jumps when all wait. So a measured duration
never depends on the machine. A timed wait of a thread, such as time.sleep(2) or Event.wait(1), ends
when the clock has reached its time, and takes no real time. See threads.py.

time-machine replaces time.time(), datetime.now() and the like in C, so even a module that has
imported their names reads the simulated time. The other functions are replaced here, in the time
module. A module that has imported their names before keeps the real ones. Only controlled threads
see the simulated time, see threads.py.
"""

import asyncio
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from ..recording import recorder
from . import blocking_calls, threads
from .patches import installed

BEGINNING = datetime(2026, 1, 1, 12, tzinfo=UTC)  # what the calendar shows at first
# What the loop's clock shows at first: an uptime of 1.5 days. A whole number keeps sums exact.
EPOCH = 131072.0

# A wait in these modules is for another process or a device, which know only the real time.
_REAL_TIME_SLEEPERS = {"subprocess", "selectors", "socket", "sqlite3", "multiprocessing"}

MAX_READS = 1000  # times that code may read the clock without a pause; more count as a wait
READ_INTERVAL = 0.01  # seconds that the clock moves on then
MOMENT = 1e-6  # seconds between two recorded events at the same time of the loop's clock


@dataclass(frozen=True)
class ThreadSleep:
    """A call of time.sleep() on another thread than the loop's.

    `function` is the name of the function that called it, and `argument` the first argument of
    that function, if it is a text. The times are seconds since the clock began.
    """

    function: str
    argument: str | None
    begun: float
    seconds: float


@contextmanager
def simulated_clock(loop) -> Iterator[None]:
    """Within it, this thread, and each that starts within it, is controlled and sees `loop`'s time.

    A SimulatedLoop does that itself while it runs.
    """
    time_machine = load_time_machine()
    beginning = BEGINNING.timestamp()  # as a datetime, it would set the process's time zone, too
    usual, begun = time_machine.escape_hatch.time.time_ns, _nanoseconds(beginning)
    with (
        installed(PATCHES),
        loop.thread_scheduler.control(),
        time_machine.travel(beginning, tick=False) as traveller,
    ):
        traveller.time_ns = _clock(usual, lambda now: begun + _nanoseconds(now - EPOCH))
        yield


@cache
def load_time_machine():
    """Import time-machine, but not pytest, which it would import for its fixture.

    pytest takes longer to import than many checks take to run.
    """
    hides_pytest = "pytest" not in sys.modules
    if hides_pytest:
        sys.modules["pytest"] = None
    try:
        import time_machine
    finally:
        if hides_pytest:
            del sys.modules["pytest"]
    return time_machine


def _now() -> float | None:
    """The time of the loop that controls this thread, or None.

    Code that reads it again and again waits, so then it moves on.
    """
    thread = threads.this_thread()
    if thread is None:
        return None
    loop = thread.scheduler.loop
    loop.clock_reads += 1
    if loop.clock_reads > MAX_READS:
        loop.clock_reads = 0
        threads.sleep(thread, READ_INTERVAL)
    return loop.time()


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1_000_000_000)


def _clock(usual: Callable, unit: Callable = float) -> Callable:
    """What replaces a clock. `unit` converts seconds to what the clock returns."""

    def read():
        now = _now()
        return usual() if now is None else unit(now)

    return read


_usual_sleep, _usual_monotonic = time.sleep, time.monotonic


def _time_of_event() -> float:
    """Seconds since the loop's clock began; each event has a moment more than the last one.

    So a transcript shows the waits, although they take no time.
    """
    thread = threads.this_thread()
    if thread is None:
        return _usual_monotonic()
    loop = thread.scheduler.loop
    return loop.elapsed() + next(loop.event_numbers) * MOMENT


def _sleep(seconds, /) -> None:
    thread, frame = threads.this_thread(), sys._getframe(1)
    if thread is None or frame.f_globals.get("__name__") in _REAL_TIME_SLEEPERS:
        _usual_sleep(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    if not thread.is_loop_thread:
        loop, code = thread.scheduler.loop, frame.f_code
        first = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
        argument = str.__str__(first) if isinstance(first, str) else None
        called = ThreadSleep(code.co_name, argument, loop.elapsed(), float(seconds))
        loop.thread_sleeps.append(called)
    threads.sleep(thread, float(seconds))


PATCHES = (
    *threads.REPLACED,
    *blocking_calls.REPLACED,
    (time, "sleep", _sleep),
    (time, "monotonic", _clock(time.monotonic)),
    (time, "monotonic_ns", _clock(time.monotonic_ns, _nanoseconds)),
    (time, "perf_counter", _clock(time.perf_counter)),
    (time, "perf_counter_ns", _clock(time.perf_counter_ns, _nanoseconds)),
    # What a timed wait of threading and queue reads.
    (threading, "_time", _clock(time.monotonic)),
    (queue, "time", _clock(time.monotonic)),
    # A loop that a job has started, as asyncio.run() does, sleeps in real time.
    (asyncio.BaseEventLoop, "time", lambda _: _usual_monotonic()),
    (recorder, "clock", _time_of_event),
)
