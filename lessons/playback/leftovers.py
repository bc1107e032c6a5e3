"""Finds what a conversation leaves behind: threads, and coroutines that were never awaited.

Python reports a forgotten `await` only when it destroys the coroutine, as a warning. So the
warnings of a conversation are caught and read. A coroutine that is still referenced gives no
warning; the garbage collector's list of objects has it.
"""

import gc
import inspect
import re
import sys
import threading
import warnings
from contextlib import contextmanager
from types import CoroutineType

from channels.consumer import SyncConsumer
from channels.layers import InMemoryChannelLayer

from lessons.simulator.finding import Finding, Place, SubjectSource, make_finding
from lessons.simulator.threads import is_pool_thread
from lessons.wire.layer import RecordingLayer

THREAD_TIMEOUT = 1.0  # seconds for a thread to end; only a thread that hangs takes so long
_NEVER_AWAITED = re.compile(r"coroutine '(?P<name>[^']+)' was never awaited")


class Leftovers:
    """What one conversation has left behind, once watched() has ended: `findings`."""

    def __init__(self, subject):
        self._source = SubjectSource(subject)
        self._subject = subject
        self.findings: list[Finding] = []

    @contextmanager
    def watched(self, collects_garbage=True):
        """Watch the conversation that runs within it.

        Without `collects_garbage` a coroutine in a reference cycle is not found. A collection takes
        some milliseconds.
        """
        threads = set(threading.enumerate())
        with warnings.catch_warnings(record=True) as caught, _coroutine_origins():
            warnings.simplefilter("always")
            yield
            self._find_threads(threads)
            if collects_garbage:
                gc.collect()
        self._find_warnings(caught)

    def find_unstarted_coroutine(self) -> None:
        """Find a coroutine that was never started and is still referenced, and close it.

        Closed, it gives no warning in a later conversation.
        """
        for item in gc.get_objects():
            if (
                type(item) is CoroutineType
                and inspect.getcoroutinestate(item) == inspect.CORO_CREATED
            ):
                place = _innermost_place(item.cr_origin or (), self._source.file)
                # A coroutine of sync code has no origin. Then only one of the layer counts.
                if place.line or item.__qualname__.startswith(f"{RecordingLayer.__name__}."):
                    self.findings.append(self._never_awaited(item.__qualname__, place))
                    item.close()

    def _find_threads(self, before: set[threading.Thread]) -> None:
        for thread in set(threading.enumerate()) - before:
            if is_pool_thread(thread):  # it waits for the next job
                continue
            # The last thread of a ThreadSensitiveContext may be ending.
            thread.join(THREAD_TIMEOUT)
            if thread.is_alive():
                finding = make_finding("thread-left-behind", detail=f"Thread {thread.name}")
                self.findings.append(finding)

    def _find_warnings(self, caught) -> None:
        for warning in caught:
            found = _NEVER_AWAITED.search(str(warning.message))
            if not found:
                continue
            name = found["name"].rpartition(".")[2]
            handler = getattr(self._source.subject, name, None)
            is_handler = handler is not None and handler.__qualname__ == found["name"]
            if is_handler and issubclass(self._source.subject, SyncConsumer):
                place = self._source.place_of_handler(name)
                self.findings.append(make_finding("async-handler-in-sync-consumer", place))
            else:
                place = _origin_of(warning, self._source.file)
                self.findings.append(self._never_awaited(found["name"], place))

    def _never_awaited(self, name: str, place: Place) -> Finding:
        """The finding for the coroutine `name`, which was created at `place`."""
        owner, _, method = name.rpartition(".")
        is_layer = owner == RecordingLayer.__name__
        # In the student's project this is a method of the channel layer, not of the recorder.
        name = f"{InMemoryChannelLayer.__name__}.{method}" if is_layer else name
        in_sync_code = isinstance(self._subject, type) and issubclass(self._subject, SyncConsumer)
        diagnosis = "layer-not-called" if is_layer and in_sync_code else "never-awaited"
        return make_finding(diagnosis, place, detail=f"coroutine '{name}' was never awaited")


@contextmanager
def _coroutine_origins():
    """Let each coroutine remember the lines that created it: one of them forgot the await."""
    before = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(10)
    try:
        yield
    finally:
        sys.set_coroutine_origin_tracking_depth(before)


def _origin_of(warning, file: str) -> Place:
    """The innermost line of `file` that created the coroutine of this warning."""
    # A coroutine of another thread has no origin. The warning has the line that dropped it.
    dropped_at = (warning.filename, warning.lineno, "")
    origin = getattr(warning.source, "cr_origin", None) or ()
    return _innermost_place((*origin, dropped_at), file)


def _innermost_place(origin, file: str) -> Place:
    for name, line, function in origin:
        if name == file:
            return Place(file, line, function)
    return Place(file)
