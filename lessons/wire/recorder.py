"""Keeps the events of some connections, in order, and tells whoever listens."""

import asyncio
import itertools
import secrets
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from lessons.wire.events import Direction, Event, Lane
from lessons.wire.redaction import redact

# Copied into the tasks of `await_many_dispatch` and into the threads of `sync_to_async`, so a
# channel layer call or a query finds the connection it was made for.
current_connection: ContextVar["Connection | None"] = ContextVar("connection", default=None)

clock = time.monotonic  # of all that is recorded; whoever plays waits in no time sets another


class Recorder:
    """A list of events, and the `listeners` that are called with each.

    They are called one event at a time, in order, in the thread that recorded it; so they must be
    quick and must not record. With `keep=False` they are all that there is, and no list grows.
    """

    def __init__(self, keep: bool = True):
        self.keep = keep
        self.events: list[Event] = []
        self.listeners: list[Callable[[Event], None]] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    @property
    def is_on(self) -> bool:
        """Whether anybody would ever see what is recorded."""
        return self.keep or bool(self.listeners)

    def record(self, lane, direction, message, thread, handler, connection):
        message = redact(message if isinstance(message, dict) else {"not a dict": message})
        with self._lock:
            number = next(self._numbers)
            event = Event(number, clock(), lane, direction, message, thread, handler, connection)
            if self.keep:
                self.events.append(event)
            for listener in self.listeners:
                listener(event)


@dataclass
class Running:
    """The handler at work. Channels dispatches one event at a time, so there is one at most."""

    source: Lane
    handler: str
    thread: str
    event: dict


class Connection:
    """One run of an ASGI application: which handler is at work, and where its events go."""

    def __init__(self, recorder: Recorder):
        self.id = secrets.token_hex(4)
        self.recorder = recorder
        self.running: Running | None = None
        self.last: Running | None = None
        self._task = asyncio.current_task()

    def begin(self, source: Lane, message: dict) -> None:
        """A handler starts on `message`, in this thread. One without a type has none."""
        handler = str(message.get("type", "")).replace(".", "_")
        self.running = self.last = Running(
            source, handler, threading.current_thread().name, message
        )
        self.record(source, "in", message)

    def ask(self, source: Lane) -> None:
        """The consumer asks `source` for its next event: the handler of the last one returned."""
        if self.running and self.running.source == source:
            self.running = None

    def record(self, lane: Lane, direction: Direction, message: dict) -> None:
        handler, thread = self._at_work()
        self.recorder.record(lane, direction, message, thread, handler, self.id)

    def _at_work(self) -> tuple[str | None, str]:
        """Names of the handler, or of the task that it started, and of the thread."""
        running, here = self.running, threading.current_thread().name
        try:
            task = asyncio.current_task()
        except RuntimeError:  # not the loop's thread, so nobody else's work can be meant
            return (running.handler or None) if running else None, here
        # What a sync handler sends is passed on by the loop, in a task of asgiref's.
        if running and (task in (None, self._task) or running.thread != here):
            return running.handler or None, running.thread
        if task in (None, self._task):
            return None, here
        return getattr(task.get_coro(), "__qualname__", task.get_name()), here


class TrackedMessage(dict):
    """An ASGI message that tells when, and in which thread, a consumer first reads its type.

    `dispatch` reads the type right before it calls the handler, in the thread of the handler: the
    only moment at which this can be known without touching the consumer.
    """

    __slots__ = ("_begin",)

    def __init__(self, message: dict, begin: Callable[[dict], None]):
        super().__init__(message)
        self._begin = begin

    def __getitem__(self, key):
        if key == "type":
            self.seen()
        return super().__getitem__(key)

    def get(self, key, default=None):
        """As a dict's; a `match` statement asks in this way too."""
        if key == "type":
            self.seen()
        return super().get(key, default)

    def __contains__(self, key):
        """As a dict's; Channels asks whether there is a type, and reads it only then."""
        found = super().__contains__(key)
        if key == "type" and not found:
            self.seen()
        return found

    def seen(self) -> None:
        """Tell, once."""
        begin, self._begin = self._begin, None
        if begin:
            begin(self)

    def __reduce__(self):
        return dict, (dict(self),)
