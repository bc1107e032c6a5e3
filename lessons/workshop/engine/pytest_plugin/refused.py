"""Refuses what the simulated world does not have, at the line that uses it.

Python reports to an audit hook whatever connects a socket or begins an event loop, also in C: each
loop, of asyncio, uvloop or trio, sets the hooks for asynchronous generators. An audit hook stays
until Python ends; it does nothing while the loop of no world runs.
"""

import _thread
import asyncio
import multiprocessing.process
import sys
import traceback
from contextlib import contextmanager
from functools import cache

import asgiref.sync

from ..scheduling.patches import installed
from ..scheduling.threads import this_thread


class NotSimulated(RuntimeError):
    """The code uses something that the simulated world does not have."""


_NETWORK = "has no network. Replace what connects in the test"
_PROCESS = "has one process. Replace what starts another one in the test"
_LOOP_BEGINS = "sys.set_asyncgen_hook_finalizer"
_AUDITED = {
    "socket.connect": _NETWORK,
    "socket.sendto": _NETWORK,
    "socket.bind": _NETWORK,
    "socket.getaddrinfo": _NETWORK,
    "socket.gethostbyname": _NETWORK,
    "os.fork": _PROCESS,
    _LOOP_BEGINS: "has one event loop, on a simulated clock. "
    "Await the coroutine, or use async_to_sync()",
}
_REPLACED = {
    (multiprocessing.process.BaseProcess, "start"): _PROCESS,
    (_thread, "start_new_thread"): "controls the threads of threading and concurrent.futures only. "
    "Use one of them",
}


_loops = set()  # those of the worlds: one, or none


@contextmanager
def refused(loop):
    """Within it, code under this loop that uses one of these raises NotSimulated."""
    _add_audit_hook()
    _loops.add(loop)
    rows = [_row(owner, name, reason) for (owner, name), reason in _REPLACED.items()]
    rows.append((asyncio.BaseEventLoop, "run_forever", _run_forever))
    try:
        with installed(rows):
            yield
    finally:
        _loops.remove(loop)


@cache
def _add_audit_hook() -> None:
    sys.addaudithook(_audit)


def _audit(event, arguments) -> None:
    if event in _AUDITED and (loop := _simulated_loop()):
        caller = sys._getframe(1)
        # asyncio's own methods open sockets, too: only the start of the loop itself is no fault.
        if event != _LOOP_BEGINS or caller.f_locals.get("self") is not loop:
            frames = [frame for frame, _ in traceback.walk_stack(caller)]
            files = (frame.f_code.co_filename.replace("\\", "/") for frame in frames)
            connects_to_database = any("/django/db/" in file for file in files)
            if not connects_to_database and not any(map(_is_of_asgiref, frames)):
                _refuse(_AUDITED[event])


_usual_run_forever = asyncio.BaseEventLoop.run_forever


def _run_forever(self):
    """Refuse before the loop runs: since Python 3.14, it could not be closed after the event."""
    _audit(_LOOP_BEGINS, ())
    _usual_run_forever(self)


def _row(owner, name: str, reason: str):
    usual = getattr(owner, name)

    def call(*args, **kwargs):
        if _simulated_loop():
            _refuse(reason)
        return usual(*args, **kwargs)

    return owner, name, call


def _simulated_loop():
    """The loop of the world that controls this thread, or None."""
    thread = this_thread()
    loop = thread and thread.scheduler.loop
    return loop if loop in _loops and loop.is_running() else None


def _refuse(reason: str) -> None:
    raise NotSimulated(f"The simulated world {reason}.")


def _is_of_asgiref(frame) -> bool:
    """Whether async_to_sync() runs its coroutine in a loop, which lasts no longer."""
    awaited = (frame.f_locals.get(name) for name in ("main", "coro", "future"))
    codes = (getattr(it, "cr_code", None) for it in awaited)
    return any(code is not None and code.co_filename == asgiref.sync.__file__ for code in codes)
