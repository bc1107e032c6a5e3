"""Finds what a conversation leaves behind: threads, jobs, timers, coroutines without an await.

Python reports a forgotten `await` only when it destroys the coroutine: it would print a warning. A
coroutine that is still referenced is not reported; the garbage collector's list of objects has it.

A job of a pool, or a timer of the loop, may outlive the connection for a while: a thread cannot be
cancelled. So they get simulated time to end, and only what goes on then is a fault.
"""

import asyncio
import gc
import inspect
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from pathlib import Path
from types import CoroutineType

from asgiref.sync import SyncToAsync

from ..faults.burst import fault_of_coroutine
from ..faults.finding import Finding, Place, SubjectSource, make_finding
from ..recording.layer import RecordingLayer
from ..scheduling.patches import installed
from ..scheduling.threads import ControlledThread, is_pool_thread

JOB_TIMEOUT = 60.0  # simulated seconds for a job that has begun to end
MAX_ROUNDS = 100  # of jobs that wait for other jobs, or of a timer that sets the next one
LONGEST_TIMER = 86_400.0  # simulated seconds that are waited for a timer
# Of a coroutine: one of these lines forgot the await. Each takes time, for all coroutines.
ORIGIN_LINES = 4
THREAD_TIMEOUT = 1.0  # seconds for a thread to end; only a thread that hangs takes so long
# The engine's code that gives jobs to threads itself.
_ENGINE = tuple(f"{Path(__file__).parents[1] / name}{os.sep}" for name in ("process", "script"))


class Leftovers:
    """What one conversation has left behind, once watched() has ended: `findings`."""

    def __init__(self, source: SubjectSource):
        self.findings: list[Finding] = []
        self._source = source
        self._earlier_jobs: list[ControlledThread] = []

    def ignore_jobs_so_far(self) -> None:
        """Do not report the jobs that run now: the import of the file has started them."""
        self._earlier_jobs = asyncio.get_running_loop().thread_scheduler.unfinished_jobs()

    async def wait_for_jobs(self, reports: bool) -> None:
        """Let the jobs of pools end, and find those of the student that do not, if `reports`.

        A job of one conversation must not go on in the next one.
        """
        scheduler = asyncio.get_running_loop().thread_scheduler
        for _ in range(MAX_ROUNDS):
            left = {*scheduler.unfinished_jobs()}.difference(self._earlier_jobs)
            begun = {job for job in left if job.ident is not None}
            if not left:
                return
            await asyncio.sleep(JOB_TIMEOUT)
            if endless := begun.intersection(scheduler.unfinished_jobs()):
                break
        if reports:
            places = (_place_of_job(self._source, job) for job in endless)
            self._note("A job that was submitted to a pool does not end.", places)

    async def wait_for_timers(self) -> None:
        """Let the timers of the student's functions end, and find one that is set again and again.

        The end of the loop ends the timers. On a server they would go on.
        """
        loop = asyncio.get_running_loop()
        for _ in range(MAX_ROUNDS):
            timers = self._students_timers(loop)
            if not timers:
                return
            last = max(timer.when() for timer in timers) - loop.time()
            await asyncio.sleep(min(max(last, 0.0), LONGEST_TIMER))
        detail = "A timer of the event loop is set again each time that it has fired."
        self._note(detail, self._students_timers(loop).values())

    def _note(self, detail: str, places: Iterable[Place | None]) -> None:
        for place in sorted({*places} - {None}, key=lambda it: it.line):
            self.findings.append(make_finding("thread-left-behind", place, detail=detail))

    def _students_timers(self, loop) -> dict[asyncio.TimerHandle, Place]:
        """The timers that will call a function of the student's file, and its place."""
        places = ((it, self._source.place_of(it._callback)) for it in loop._scheduled)
        return {timer: place for timer, place in places if place}  # None if it was cancelled

    @contextmanager
    def watched(self):
        """Watch the conversation that runs within it."""
        threads = set(threading.enumerate())
        with warnings.catch_warnings(), forgotten_coroutines(self.note_coroutine):
            warnings.simplefilter("ignore")  # nothing else is printed
            yield
            self.find_threads(threads)
            gc.collect()  # a coroutine that was never awaited may be in a reference cycle

    def find_unstarted_coroutine(self) -> None:
        """Find a coroutine that was never started and is still referenced, and close it.

        Closed, it gives no warning in a later conversation.
        """
        for item in gc.get_objects():
            is_coroutine = type(item) is CoroutineType
            if is_coroutine and inspect.getcoroutinestate(item) == inspect.CORO_CREATED:
                origin, name = item.cr_origin or (), item.__qualname__
                is_own = any(self._source.owns(file) for file, *_ in origin)
                # A coroutine of sync code has no origin. Then only one of the layer counts.
                if is_own or name.startswith(f"{RecordingLayer.__name__}."):
                    self.note_coroutine(name, origin)
                    item.close()

    def note_coroutine(self, name: str, origin: Iterable[tuple]) -> None:
        """Add the finding for a coroutine that was never awaited."""
        own = (Place(*line) for line in origin if self._source.owns(line[0]))
        place = next(own, Place(self._source.file))
        self.findings.append(fault_of_coroutine(self._source, name, place))

    def find_threads(self, before: set[threading.Thread]) -> None:
        """Find the threads that did not run `before`, and do not end."""
        for thread in threading.enumerate():
            if thread in before or is_pool_thread(thread):  # which waits for the next job
                continue
            # The last thread of a ThreadSensitiveContext may be ending.
            thread.join(THREAD_TIMEOUT)
            if thread.is_alive():
                place = self._source.running_place(thread.ident) or Place()
                self._note(f"Thread {thread.name}", [place])


@contextmanager
def forgotten_coroutines(note: Callable[[str, tuple], object], lines: int = ORIGIN_LINES):
    """Within it, `note(name, origin)` is called for each coroutine that is freed, never awaited.

    `origin` holds the (file, line, function) that created it, up to so many `lines`, the innermost
    first. Last is the line that has freed it: a coroutine of another thread has no other.
    """

    def note_freed(coroutine):
        caller = sys._getframe().f_back
        freed_at = [(caller.f_code.co_filename, caller.f_lineno, "")] if caller else []
        note(coroutine.__qualname__, (*(coroutine.cr_origin or ()), *freed_at))

    depth = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(lines)
    try:
        with installed([(warnings, "_warn_unawaited_coroutine", note_freed)]):
            yield
    finally:
        sys.set_coroutine_origin_tracking_depth(depth)


def _place_of_job(source: SubjectSource, job: ControlledThread) -> Place | None:
    """The line of `source` that the job executes; None if the engine or asgiref has submitted it.

    asgiref runs handlers and the functions of sync_to_async(), and the consumer waits for these.
    """
    frame = sys._current_frames().get(job.ident)
    for caller, _ in traceback.walk_stack(frame) if frame else ():
        code = caller.f_code
        if code is SyncToAsync.thread_handler.__code__ or code.co_filename.startswith(_ENGINE):
            return None
    return source.running_place(job.ident)
