"""One clock for all that a student's code can read: it shows the time of the simulated loop.

    with simulated_clock(loop):
        subject = load_subject(target)      # the student's file reads the clock when it is imported
        loop.run_until_complete(...)        # and later it reads another time

Within it, time.monotonic(), time.perf_counter(), time.time() and datetime.now() follow the loop's
clock. That clock stands still while code runs, and jumps when all wait. So a measured duration
never depends on the machine. A timed wait of a thread, such as time.sleep(2) or Event.wait(1), ends
when the clock has reached its time, and takes no real time. See threads.py.

What blocks the loop's own thread is noted in `loop.blocking_calls`, with the student's lines.

time-machine replaces time.time(), datetime.now() and the like in C, so even a module that has
imported their names reads the simulated time. The other functions are replaced here by hand: in the
time module, and in each module of a student or a demo that has imported the name. Modules of
Python, of libraries and of the workshop that have imported a name keep the real function.
"""

import asyncio
import inspect
import os
import queue
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from django.core.cache.backends.locmem import LocMemCache

from lessons.workshop.engine.faults.finding import Place
from lessons.workshop.engine.world import STUDENT_PACKAGE, threads
from lessons.workshop.engine.world.cache import CALLS as CACHE_CALLS
from lessons.workshop.engine.world.loop import EPOCH, BlockingCall, SimulatedLoop, ThreadSleep

BEGINNING = datetime(2026, 1, 1, 12, tzinfo=UTC)  # what the calendar shows at first

_usual_sleep = time.sleep
# A wait in these modules is for another process or a device, which know only the real time.
_REAL_TIME_SLEEPERS = {"subprocess", "selectors", "socket", "sqlite3", "multiprocessing"}

MAX_READS = 1000  # times that code may read the clock without a pause; more count as a wait
READ_INTERVAL = 0.01  # seconds that the clock moves on then

_loop: SimulatedLoop | None = None  # whose clock is shown


@contextmanager
def simulated_clock(loop: SimulatedLoop, beginning: datetime = BEGINNING) -> Iterator[None]:
    """Within it, every clock shows the time of `loop`, and its blocking calls are noted.

    It controls the threads that start within it, even while the loop does not run. Only one such
    clock can be active in a process.
    """
    global _loop
    if _loop is not None:
        raise RuntimeError("another simulated clock is active")
    begun = _nanoseconds(beginning.timestamp())
    replaced: list[tuple] = []
    with (
        loop.thread_scheduler.control(),
        load_time_machine().travel(beginning, tick=False) as traveller,
    ):
        traveller.time_ns = lambda: begun + _nanoseconds(_now() - EPOCH)
        _loop = loop
        loop.thread_scheduler.has_clock = True
        loop.thread_scheduler.note_blocking_call = _note_blocking_call
        try:
            _replace(replaced)
            yield
        finally:
            for owner, name, usual in reversed(replaced):
                _set(owner, name, usual)
            loop.thread_scheduler.has_clock = False
            loop.thread_scheduler.note_blocking_call = None
            loop.thread_scheduler.end_timed_waits()
            _loop = None


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


# What is replaced


def _now() -> float:
    """The time of the loop. Code that reads it again and again waits, so then it moves on."""
    _loop.clock_reads += 1
    if _loop.clock_reads > MAX_READS:
        _loop.clock_reads = 0
        if thread := threads.this_thread():
            threads.sleep(thread, READ_INTERVAL)
    return _loop.time()


def _monotonic() -> float:
    return _usual["monotonic"]() if _loop is None else _now()


def _monotonic_ns() -> int:
    return _usual["monotonic_ns"]() if _loop is None else _nanoseconds(_now())


def _perf_counter() -> float:
    return _usual["perf_counter"]() if _loop is None else _now()


def _perf_counter_ns() -> int:
    return _usual["perf_counter_ns"]() if _loop is None else _nanoseconds(_now())


def _time_of_waits() -> float:
    """What a timed wait reads: only that of a controlled thread ends by the loop's clock."""
    return _usual["monotonic"]() if threads.this_thread() is None else _monotonic()


def _time_of_another_loop(_) -> float:
    """A loop that a job has started, as asyncio.run() does, sleeps in real time."""
    return _usual["monotonic"]()


def _sleep(seconds, /) -> None:
    thread = threads.this_thread()
    is_simulated = (
        _loop is not None and thread is not None and thread.scheduler is _loop.thread_scheduler
    )
    if not is_simulated or sys._getframe(1).f_globals.get("__name__") in _REAL_TIME_SLEEPERS:
        _usual_sleep(seconds)
    elif seconds < 0:
        raise ValueError("sleep length must be non-negative")
    else:
        if not thread.is_loop_thread:
            _loop.thread_sleeps.append(_thread_sleep(sys._getframe(1), float(seconds)))
        threads.sleep(thread, float(seconds))


def _thread_sleep(frame, seconds: float) -> ThreadSleep:
    code = frame.f_code
    first = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
    argument = str.__str__(first) if isinstance(first, str) else None
    return ThreadSleep(code.co_name, argument, _loop.elapsed(), seconds)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1_000_000_000)


_NAMES = ("monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep")
_usual = {name: getattr(time, name) for name in _NAMES}
_simulated = {name: globals()[f"_{name}"] for name in _NAMES}
_replacement_of = {_usual[name]: _simulated[name] for name in _NAMES}
_names_seen: set[str] = set()  # names of modules in which no student's code is


def _replace(replaced: list) -> None:
    """Replace every function, and note in `replaced` what was there before."""
    for owner, name, replacement in (
        *((time, name, _simulated[name]) for name in _NAMES),
        (threading, "_time", _time_of_waits),
        (queue, "time", _time_of_waits),
        (asyncio.BaseEventLoop, "time", _time_of_another_loop),
        *_blocking_calls(),
        *_imported_names(),
    ):
        usual = owner[name] if isinstance(owner, dict) else getattr(owner, name)
        replaced.append((owner, name, usual))
        _set(owner, name, replacement)


def _set(owner, name, item) -> None:
    if isinstance(owner, dict):
        owner[name] = item
    else:
        setattr(owner, name, item)


def _imported_names() -> Iterator[tuple[dict, str, Callable]]:
    """Each of the functions that a module of a student or a demo has imported by name."""
    for name in sys.modules.keys() - _names_seen:
        module = sys.modules[name]
        if not is_students_file(getattr(module, "__file__", None) or ""):
            _names_seen.add(name)
            continue
        own_names = vars(module)
        for key, item in tuple(own_names.items()):
            if type(item) is _BUILTIN and item in _replacement_of:
                yield own_names, key, _replacement_of[item]


_BUILTIN = type(_usual_sleep)
_LIBRARIES = ("<", str(Path(os.__file__).parent) + os.sep)
_WORKSHOP = str(Path(__file__).parents[2]) + os.sep


@cache
def is_students_file(file: str) -> bool:
    """Whether a student, or a demo, may have written this: it is not Python, library or workshop.

    A student's file may be anywhere, and has the name that the workshop gave it.
    """
    if not file or file.startswith(_LIBRARIES) or "site-packages" in file:
        return False
    return not file.startswith(_WORKSHOP)


def _is_students(frame) -> bool:
    name = frame.f_globals.get("__name__") or ""
    return name.startswith(STUDENT_PACKAGE) or is_students_file(frame.f_code.co_filename)


# Calls that block, which are noted when the loop's thread makes them


def _always(*_, **__) -> bool:
    return True


def _will_wait(process: subprocess.Popen, timeout=None) -> bool:
    return process.returncode is None and timeout != 0


def _is_blocking(connection: socket.socket, _address) -> bool:
    return connection.gettimeout() != 0  # asyncio's own sockets have 0


@cache
def _blocking_calls() -> tuple:
    """What blocks is decided by the arguments, never by a clock.

    subprocess.run() and the like end in Popen.wait(), HTTP libraries begin with connect(). The
    cache of a check is in memory, but stands for one on another machine.
    """
    calls = (
        (os, "system", _always),
        (os, "popen", _always),
        (subprocess.Popen, "wait", _will_wait),
        (socket.socket, "connect", _is_blocking),
        *((LocMemCache, name, _always) for name in CACHE_CALLS),
    )
    return tuple(
        (owner, name, _noting(f"{owner.__name__}.{name}", getattr(owner, name), blocks))
        for owner, name, blocks in calls
    )


def _noting(name: str, usual, blocks):
    def call(*args, **options):
        if (
            _loop is not None
            and _loop.thread_scheduler.runs_loop_here()
            and blocks(*args, **options)
        ):
            _note_blocking_call(None, name)
        return usual(*args, **options)

    return call


# The names of the functions that replace these.
_REPLACED_NAMES = {
    "_sleep": "time.sleep",
    "_join": "Thread.join",
    "_wait": "Condition.wait",
    "_shutdown": "ThreadPoolExecutor.shutdown",
    **{f"LocMemCache.{name}": f"cache.{name}" for name in CACHE_CALLS},
}


def _note_blocking_call(seconds: float | None, name: str = "") -> None:
    """A student's code has blocked the loop for `seconds`; None if only real time has passed."""
    frames = [frame for frame, _ in traceback.walk_stack(sys._getframe(1))]
    own = [number for number, frame in enumerate(frames) if _is_students(frame)]
    if own:
        name = name or frames[own[0] - 1].f_code.co_qualname
        # A coroutine comes first: it could await. What it calls may be code that is not to change.
        own.sort(key=lambda number: not frames[number].f_code.co_flags & inspect.CO_COROUTINE)
        _loop.blocking_calls.append(
            BlockingCall(
                _REPLACED_NAMES.get(name, name).partition(".<locals>")[0],
                seconds,
                tuple(
                    Place(it.f_code.co_filename, it.f_lineno, it.f_code.co_qualname)
                    for it in (frames[number] for number in own)
                ),
            )
        )
