"""Slow work that takes no time: it waits at a gate until a check lets it go.

To see who is held up by a slow call, a check must not wait as long as it takes, and must not guess
from durations on a busy machine. Here the call of time.sleep() waits until the check has looked at
the other connections. The order of events decides.
"""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from unittest import mock

from asgiref.sync import SyncToAsync

from lessons.simulator.finding import CheckFailed, Place, make_finding, place_on_stack
from lessons.simulator.loop import SimulatedLoop

# Sees the calls, besides time.sleep(), that keep their thread waiting for somebody else.
#
# Whether a call does is read off what it was asked for, and off no clock: where a program ends at
# once, or a server is near, the mistake is the same.


def _always(*_) -> bool:
    return True


def _is_waited_for(process: subprocess.Popen, timeout=None) -> bool:
    return process.returncode is None and timeout != 0


def _blocks(connection: socket.socket, _address) -> bool:
    return connection.gettimeout() != 0  # asyncio's own sockets have 0


# subprocess.run() and its like end in Popen.wait(), what speaks HTTP begins with connect().
_CALLS = (
    (os, "system", _always),
    (os, "popen", _always),
    (subprocess.Popen, "wait", _is_waited_for),
    (socket.socket, "connect", _blocks),
)


@contextmanager
def report_blocking_calls(tell: Callable[[], object]):
    """Within it, whoever makes such a call calls `tell` first, in the same thread."""
    with ExitStack() as stack:
        for owner, name, keeps_waiting in _CALLS:
            told = _told(getattr(owner, name), keeps_waiting, tell)
            stack.enter_context(mock.patch.object(owner, name, told))
        yield


def _told(usual, keeps_waiting, tell):
    def call(*args, **options):
        if keeps_waiting(*args, **options):
            tell()
        return usual(*args, **options)

    return call


# Blocking sleep that is played in less time than it takes; the clock shows all of it.
#
# What waits in a thread is played in the order in which it waits, so no other order comes of it.

FASTER = 20  # times


@contextmanager
def fast_sleep(loop: SimulatedLoop, subject) -> Iterator[None]:
    """Within it, time.sleep() is shorter for all, and for the module of `subject` by its name."""
    usual = time.sleep

    def sleep(seconds: float) -> None:
        end = loop.timestamp() + seconds
        usual(seconds / FASTER)
        loop.advance_to(end)

    with replace_sleep(sleep, subject):
        yield


@contextmanager
def replace_sleep(sleep: Callable[[float], None], subject) -> Iterator[None]:
    """Within it, `sleep` is time.sleep, also under a name of its own in the module of `subject`."""
    module = sys.modules.get(getattr(subject, "__module__", ""))
    own_names = vars(module) if module else {}
    replaced = {name: sleep for name, item in own_names.items() if item is time.sleep}
    with mock.patch("time.sleep", sleep), mock.patch.dict(own_names, replaced):
        yield


PATIENCE = 2.0  # seconds for a loop to give a sign of life; only a blocked one takes them all
A_LOOK = 0.02  # seconds between two looks at a loop that gives none
LOOKS = 10  # at a loop that waits for a thread, until it is sure that it does
WATCHDOG = "watchdog"  # name of the thread that puts an end to a check

_WAITING = {"Condition.wait", "Thread.join", "Thread._wait_for_tstate_lock"}


class HeldSleep:
    """Stands in for time.sleep: calls go through at once, or wait from hold() to release()."""

    def __init__(self, context):
        self.calls: list[float] = []  # the seconds that each call asked for
        self.blocked: Place | None = None  # where the loop was blocked
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._open = threading.Event()
        self._open.set()
        self._called = threading.Event()
        self._place = Place(context.source.file)
        self._in_sync_handler = False

    @property
    def waiting(self) -> int:
        """How many calls wait to be let go."""
        return len(self._loop.held)

    def hold(self) -> None:
        """Let each call from now on wait. Whoever waits for a connection waits for no such call."""
        self._open.clear()

    def reset(self) -> None:
        """Count the calls anew."""
        self.calls.clear()
        self._called.clear()

    async def was_called(self) -> bool:
        """Whether there was a call; one in a thread that the loop knows nothing of may be late."""
        if not self._others_at_work():
            return self._called.is_set()
        return await asyncio.to_thread(self._called.wait, PATIENCE / 4)

    def _others_at_work(self) -> bool:
        known = {threading.main_thread(), threading.current_thread(), *self._loop.workers}
        known |= SyncToAsync.single_thread_executor._threads
        return any(it not in known and it.name != WATCHDOG for it in threading.enumerate())

    async def release(self) -> None:
        """Let all calls go on, and see them end."""
        self._loop.held.clear()
        self._open.set()
        await self._loop.wait_until_idle()

    def failure(self) -> CheckFailed:
        """The work is held, and others with it: red with what that says about its thread."""
        name = "slow-sync-handler" if self._in_sync_handler else "work-still-queued"
        return CheckFailed(
            make_finding(name, self._place, self._context.last_event), self._context.transcript
        )

    def blocked_loop_failure(self) -> CheckFailed:
        """The work was done on the loop's thread, or the loop waited for it."""
        finding = make_finding("blocked-loop", self.blocked, self._context.last_event)
        return CheckFailed(finding, self._context.transcript)

    def sleep(self, seconds: float) -> None:
        """What the target calls in place of time.sleep."""
        self.calls.append(seconds)
        self._called.set()
        place = place_on_stack(self._context.source.file) or Place(self._context.source.file)
        if threading.get_ident() == self._loop_thread:
            self.blocked = place
        elif not self._open.is_set():
            self._wait(place)

    def look(self) -> None:
        """Something other than time.sleep() is about to keep this thread waiting."""
        if threading.get_ident() == self._loop_thread:
            self.blocked = self.blocked or place_on_stack(self._context.source.file)

    def _wait(self, place: Place) -> None:
        self._place, self._in_sync_handler = place, _in_sync_handler()
        thread, beat = threading.get_ident(), threading.Event()
        self._loop.held.add(thread)
        self._loop.call_soon_threadsafe(beat.set)  # and it looks anew at what is left to do
        if self._comes(beat):
            self._open.wait()
        else:
            self.blocked = place
        self._loop.held.discard(thread)

    def _comes(self, beat: threading.Event) -> bool:
        """Whether the loop gives a sign of life. One that is seen to wait for a thread gives none.

        It waits for a moment where it starts a thread, too, and on a busy machine for longer.
        """
        seen = 0
        for _ in range(round(PATIENCE / A_LOOK)):
            if beat.wait(A_LOOK):
                return True
            seen = seen + 1 if self._loop_waits() else 0
            if seen == LOOKS:
                return False
        return False

    def _loop_waits(self) -> bool:
        frame, names = sys._current_frames().get(self._loop_thread), []
        while frame and frame.f_code.co_filename != self._context.source.file:
            names.append(frame.f_code.co_qualname)
            frame = frame.f_back
        return bool(frame and _WAITING.intersection(names) and "Thread.start" not in names)


def _in_sync_handler() -> bool:
    frame = sys._getframe()
    while frame and frame.f_code.co_qualname != "SyncConsumer.dispatch":
        frame = frame.f_back
    return frame is not None


@asynccontextmanager
async def held_sleep(context):
    """A HeldSleep in the place of time.sleep. A blocked loop is red, whatever came after it."""
    work = HeldSleep(context)
    with replace_sleep(work.sleep, context.subject), report_blocking_calls(work.look):
        try:
            yield work
        except AssertionError as error:
            if work.blocked:
                raise work.blocked_loop_failure() from error
            raise
        finally:
            await work.release()
    if work.blocked:
        raise work.blocked_loop_failure()
