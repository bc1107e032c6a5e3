"""Notes what blocks the loop's own thread, with the lines of the student's code that led to it.

A wait for another thread is noted by threads.py, a sleep by clock.py. Here are the calls that wait
for another process or another machine.
"""

import asyncio
import inspect
import os
import socket
import subprocess
import sys
import traceback
from functools import cache
from pathlib import Path

from ..faults.finding import Place, make_finding
from .threads import this_thread

_LIBRARIES = Path(os.__file__).parent, Path(__file__).parents[1]
_NOT_STUDENTS = "<", *(f"{folder}{os.sep}" for folder in _LIBRARIES)
# What a student calls, by the name of the function that replaces it.
_NAMES = {
    "_sleep": "time.sleep",
    "_join": "Thread.join",
    "_wait": "Condition.wait",
    "_shutdown": "ThreadPoolExecutor.shutdown",
}


def note_blocking_call(loop, seconds: float | None, name: str = "") -> None:
    """Add a finding to `loop.blocking_calls` if a student's code has made the current call.

    `seconds` are those of the simulated clock; None if the call waited for something real, such as
    another process.
    """
    called, own = None, []
    for frame, _ in traceback.walk_stack(sys._getframe(1)):
        if frame.f_code is asyncio.BaseEventLoop._run_once.__code__:
            break
        if is_students(frame.f_code.co_filename):
            own.append(frame)
        elif not own:
            called = frame.f_code.co_qualname
    if own and seconds != 0:  # 0 s: such as the join() of a thread that is about to end
        # A coroutine could await. What it calls may be code that is not to change.
        awaits = (frame for frame in own if frame.f_code.co_flags & inspect.CO_COROUTINE)
        frame = next(awaits, own[0])
        name = name or _NAMES.get(called, called).partition(".<locals>")[0]
        place = Place.of(frame.f_code, frame.f_lineno)
        duration = "" if seconds is None else f" for {seconds:g} s"
        detail = f"{name} blocked the event loop{duration}."
        loop.blocking_calls.append(make_finding("blocked-loop", place, detail=detail))


@cache
def is_students(file: str) -> bool:
    """Whether a student may have written this: it is not of Python, a library or the engine."""
    return bool(file) and not file.startswith(_NOT_STUDENTS) and "site-packages" not in file


def note_if_on_loop(name: str) -> None:
    """A call begins that waits for another process. On the loop's thread, it is noted."""
    thread = this_thread()
    if thread and thread.is_loop_thread and thread.scheduler.loop.is_running():
        note_blocking_call(thread.scheduler.loop, None, name)


def _noted(owner, name: str, blocks=lambda *_, **__: True):
    """A row that replaces a call which blocks, if `blocks(...)` says so of its arguments.

    The arguments decide that, never a clock.
    """
    usual, full_name = getattr(owner, name), f"{owner.__name__}.{name}"

    def call(*args, **options):
        if blocks(*args, **options):
            note_if_on_loop(full_name)
        return usual(*args, **options)

    return owner, name, call


# subprocess.run() and the like end in Popen.wait(). HTTP libraries begin with connect().
REPLACED = (
    _noted(os, "system"),
    _noted(os, "popen"),
    _noted(
        subprocess.Popen,
        "wait",
        lambda process, timeout=None: process.returncode is None and timeout != 0,
    ),
    # asyncio's own sockets have the timeout 0.
    _noted(socket.socket, "connect", lambda connection, _: connection.gettimeout() != 0),
)
