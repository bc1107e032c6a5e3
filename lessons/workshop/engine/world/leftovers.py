"""Finds what a conversation leaves behind: threads, jobs, timers, coroutines without an await.

Python reports a forgotten `await` only when it destroys the coroutine, as a warning. So the
warnings of a conversation are caught and read. A coroutine that is still referenced gives no
warning; the garbage collector's list of objects has it.

A job of a pool, or a timer of the loop, may outlive the connection for a while: a thread cannot be
cancelled. So they get simulated time to end, and only what goes on then is a fault.
"""

import asyncio
import gc
import inspect
import os
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Iterable
from contextlib import contextmanager
from types import CoroutineType

from asgiref.sync import SyncToAsync

from ..faults.burst import fault_of_coroutine
from ..faults.finding import Finding, Place, SubjectSource, code_of, make_finding
from ..recording.layer import RecordingLayer
from ..scheduling.threads import ControlledThread, is_pool_thread

JOB_TIMEOUT = 60.0  # simulated seconds for a job that has begun to end
MAX_ROUNDS = 100  # of jobs that wait for other jobs, or of a timer that sets the next one
LONGEST_TIMER = 86_400.0  # simulated seconds that are waited for a timer
# Of a coroutine: one of these lines forgot the await. Each takes time, for all coroutines.
ORIGIN_LINES = 4
THREAD_TIMEOUT = 1.0  # seconds for a thread to end; only a thread that hangs takes so long
# The engine's code that gives jobs to threads itself.
_ENGINE = tuple(
    os.path.join(os.path.dirname(os.path.dirname(__file__)), name, "")
    for name in ("process", "script")
)
_NEVER_AWAITED = re.compile(r"coroutine '(?P<name>[^']+)' was never awaited")


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
        found = {}
        for timer in loop._scheduled:
            code = code_of(timer._callback)  # None if it was cancelled
            if code is not None and self._source.owns(code.co_filename):
                found[timer] = Place.of(code)
        return found

    @contextmanager
    def watched(self):
        """Watch the conversation that runs within it."""
        threads, depth = set(threading.enumerate()), sys.get_coroutine_origin_tracking_depth()
        sys.set_coroutine_origin_tracking_depth(ORIGIN_LINES)
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                yield
                self.find_threads(threads)
                gc.collect()  # a coroutine that was never awaited may be in a reference cycle
        finally:
            sys.set_coroutine_origin_tracking_depth(depth)
        for warning in caught:
            if found := _NEVER_AWAITED.search(str(warning.message)):
                # A coroutine of another thread has no origin, but the line that dropped it.
                origin = getattr(warning.source, "cr_origin", None) or ()
                dropped_at = (warning.filename, warning.lineno, "")
                self._note_coroutine(found["name"], self.place_in((*origin, dropped_at)))

    def find_unstarted_coroutine(self) -> None:
        """Find a coroutine that was never started and is still referenced, and close it.

        Closed, it gives no warning in a later conversation.
        """
        for item in gc.get_objects():
            if (
                type(item) is CoroutineType
                and inspect.getcoroutinestate(item) == inspect.CORO_CREATED
            ):
                place = self.place_in(item.cr_origin or ())
                # A coroutine of sync code has no origin. Then only one of the layer counts.
                if place.line or item.__qualname__.startswith(f"{RecordingLayer.__name__}."):
                    self._note_coroutine(item.__qualname__, place)
                    item.close()

    def _note_coroutine(self, name: str, place: Place) -> None:
        self.findings.append(fault_of_coroutine(self._source, name, place))

    def place_in(self, origin) -> Place:
        """The innermost line of the student's file among these (file, line, function)."""
        own = (Place(*line) for line in origin if self._source.owns(line[0]))
        return next(own, Place(self._source.file))

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
