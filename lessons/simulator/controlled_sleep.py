"""Slow calls that take no time: time.sleep() waits until a check releases it, or is shortened.

A check asks: does a slow call hold up other connections? It must not wait for the slow call, and
must not measure durations on a busy machine. So `held_sleep` replaces time.sleep(). The check
decides when a call returns, and the order of events gives the answer:

    held_sleep.hold()                      # from now on each call of time.sleep() waits
    await baker.send_to("2 rolls")         # its handler calls time.sleep(2) on a thread
    await other.send_to("1 roll")          # is the other client served now?
    await held_sleep.release()             # all calls return

A held call has to know which thread it is on. Python does not say what a thread is for, so this
module reads it from the stack. A frame's qualified name says which function runs in it: a thread
with `SyncConsumer.dispatch` on its stack runs a sync handler. And if the loop's own thread stands
in `Condition.wait`, called by the student's file, the student's code blocks the loop.

Blocking calls other than time.sleep(), such as subprocess.run(), are not held but noticed: on the
loop's thread they are a mistake, whether they take long or not.
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

FAST_SLEEP_FACTOR = 20  # fast_sleep() divides each sleep by this number
LOOP_TIMEOUT = 2.0  # seconds for the loop to react; only a blocked loop takes all of them
LOOP_POLL_INTERVAL = 0.02  # seconds between two looks at a loop that does not react
MIN_BLOCKED_LOOKS = 10  # looks in a row that find the loop waiting for a thread
WATCHDOG = "watchdog"  # name of the thread that ends a check after its time limit

# Qualified names of the functions in which one thread waits for another.
_WAITING = {"Condition.wait", "Thread.join", "ThreadTurns.wait", "ThreadTurns.wait_for_end"}


class HeldSleep:
    """Replaces time.sleep: calls return at once, or wait from hold() to release()."""

    def __init__(self, context):
        self.calls: list[float] = []  # the seconds that each call asked for
        self.blocked: Place | None = None  # the line that blocked the loop
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
        """How many calls are held."""
        return len(self._loop.held_threads)

    def hold(self) -> None:
        """Hold each call from now on. The loop counts as idle while calls are held."""
        self._open.clear()

    def reset(self) -> None:
        """Forget the calls so far."""
        self.calls.clear()
        self._called.clear()

    async def was_called(self) -> bool:
        """Whether there was a call. A thread that the loop does not know may call late."""
        if not self._has_unknown_threads():
            return self._called.is_set()
        return await asyncio.to_thread(self._called.wait, LOOP_TIMEOUT / 4)

    def _has_unknown_threads(self) -> bool:
        known = {threading.main_thread(), threading.current_thread(), *self._loop.worker_threads}
        known |= SyncToAsync.single_thread_executor._threads
        return any(it not in known and it.name != WATCHDOG for it in threading.enumerate())

    async def release(self) -> None:
        """Let all held calls return, and wait until their work is done."""
        self._loop.held_threads.clear()
        self._open.set()
        await self._loop.wait_until_idle()

    def failure(self) -> CheckFailed:
        """The CheckFailed for a held call that holds up other clients on its thread."""
        name = "slow-sync-handler" if self._in_sync_handler else "work-still-queued"
        return self._failure(name, self._place)

    def blocked_loop_failure(self) -> CheckFailed:
        """The CheckFailed for a call on the loop's thread, or for a loop that waited for one."""
        return self._failure("blocked-loop", self.blocked)

    def _failure(self, name: str, place: Place | None) -> CheckFailed:
        finding = make_finding(name, place, self._context.last_event)
        return CheckFailed(finding, self._context.transcript)

    def sleep(self, seconds: float) -> None:
        """The student's code calls this instead of time.sleep()."""
        self.calls.append(seconds)
        self._called.set()
        place = place_on_stack(self._context.source.file) or Place(self._context.source.file)
        if threading.get_ident() == self._loop_thread:
            self.blocked = place
        elif not self._open.is_set():
            self._wait(place)

    def note_blocking_call(self) -> None:
        """Another blocking call begins in this thread."""
        if threading.get_ident() == self._loop_thread:
            self.blocked = self.blocked or place_on_stack(self._context.source.file)

    def _wait(self, place: Place) -> None:
        self._place, self._in_sync_handler = place, _is_in_sync_handler()
        thread, reaction = threading.get_ident(), threading.Event()
        self._loop.held_threads.add(thread)
        # The callback also makes the loop look again at what work is left.
        self._loop.call_soon_threadsafe(reaction.set)
        if self._loop_reacts(reaction):
            self._open.wait()
        else:
            self.blocked = place
        self._loop.held_threads.discard(thread)

    def _loop_reacts(self, reaction: threading.Event) -> bool:
        """Whether the loop still runs callbacks, or waits for a thread.

        A loop that starts a thread waits for it too, for a moment or longer on a busy machine. So
        one look is not enough.
        """
        blocked_looks = 0
        for _ in range(round(LOOP_TIMEOUT / LOOP_POLL_INTERVAL)):
            if reaction.wait(LOOP_POLL_INTERVAL):
                return True
            blocked_looks = blocked_looks + 1 if self._loop_waits_for_thread() else 0
            if blocked_looks == MIN_BLOCKED_LOOKS:
                return False
        return False

    def _loop_waits_for_thread(self) -> bool:
        """Whether the student's file called what the loop's thread now waits in."""
        frame, names = sys._current_frames().get(self._loop_thread), []
        while frame and frame.f_code.co_filename != self._context.source.file:
            names.append(frame.f_code.co_qualname)
            frame = frame.f_back
        return bool(frame and _WAITING.intersection(names) and "Thread.start" not in names)


def _is_in_sync_handler() -> bool:
    """Whether this thread runs a handler of a SyncConsumer."""
    frame = sys._getframe()
    while frame and frame.f_code.co_qualname != "SyncConsumer.dispatch":
        frame = frame.f_back
    return frame is not None


@asynccontextmanager
async def held_sleep(context):
    """A HeldSleep instead of time.sleep. A blocked loop fails the check, whatever followed."""
    held = HeldSleep(context)
    with (
        replace_sleep(held.sleep, context.subject),
        report_blocking_calls(held.note_blocking_call),
    ):
        try:
            yield held
        except AssertionError as error:
            if held.blocked:
                raise held.blocked_loop_failure() from error
            raise
        finally:
            await held.release()
    if held.blocked:
        raise held.blocked_loop_failure()


# Sleep in a playback


@contextmanager
def fast_sleep(loop: SimulatedLoop, subject) -> Iterator[None]:
    """Within it, time.sleep() is shorter, and the loop's clock shows the full time.

    Threads still sleep one after the other, in the order in which they would. So a playback keeps
    its order of events.
    """
    usual = time.sleep

    def sleep(seconds: float) -> None:
        end = loop.timestamp() + seconds
        usual(seconds / FAST_SLEEP_FACTOR)
        loop.advance_to(end)

    with replace_sleep(sleep, subject):
        yield


@contextmanager
def replace_sleep(sleep: Callable[[float], None], subject) -> Iterator[None]:
    """Within it, `sleep` is time.sleep, also where the subject's module has imported the name."""
    module = sys.modules.get(getattr(subject, "__module__", ""))
    own_names = vars(module) if module else {}
    replaced = {name: sleep for name, item in own_names.items() if item is time.sleep}
    with mock.patch("time.sleep", sleep), mock.patch.dict(own_names, replaced):
        yield


# Other blocking calls


def _always(*_) -> bool:
    return True


def _will_wait(process: subprocess.Popen, timeout=None) -> bool:
    return process.returncode is None and timeout != 0


def _is_blocking(connection: socket.socket, _address) -> bool:
    return connection.gettimeout() != 0  # asyncio's own sockets have 0


# What blocks is decided by the arguments, never by a clock: a program that ends at once, or a near
# server, is the same mistake. subprocess.run() and the like end in Popen.wait(), and HTTP libraries
# begin with connect().
_BLOCKING_CALLS = (
    (os, "system", _always),
    (os, "popen", _always),
    (subprocess.Popen, "wait", _will_wait),
    (socket.socket, "connect", _is_blocking),
)


@contextmanager
def report_blocking_calls(report: Callable[[], object]):
    """Within it, each blocking call first calls `report`, in the same thread."""
    with ExitStack() as stack:
        for owner, name, blocks in _BLOCKING_CALLS:
            reporting = _reporting(getattr(owner, name), blocks, report)
            stack.enter_context(mock.patch.object(owner, name, reporting))
        yield


def _reporting(usual, blocks, report):
    def call(*args, **options):
        if blocks(*args, **options):
            report()
        return usual(*args, **options)

    return call
