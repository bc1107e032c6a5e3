"""Keeps the events of some connections in order, and calls its listeners with each event."""

import asyncio
import itertools
import secrets
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace

from .consumer_state import attributes_of, consumer_on_stack, running_line
from .events import Direction, Event, Lane, exact_copy

# The tasks of `await_many_dispatch` and the threads of `sync_to_async` inherit this variable. So a
# channel layer call or a query finds the connection that it belongs to.
current_connection: ContextVar["Connection | None"] = ContextVar("connection", default=None)

clock = time.monotonic  # gives each event its time; scheduling/clock.py replaces it


class Recorder:
    """A list of events, and the `listeners` that are called with each event.

    The recorder calls its listeners one event at a time, in order, in the thread that recorded the
    event. So a listener must be quick and must not record. With `keep=False` the list stays empty.
    `redact` removes secrets from each message and from the state of the consumer: what a real
    client sends. A simulated client has none.

    With `with_state`, an event gets the line that sent it, and the changes of the consumer's
    attributes that followed it: it is replaced in the list, and the listeners are called with it
    again.
    """

    def __init__(self, keep: bool = True, with_state: bool = False, redact=lambda values: values):
        self.keep = keep
        self.redact: Callable[[dict], dict] = redact
        self.with_state = with_state
        self.events: list[Event] = []
        self.listeners: list[Callable[[Event], None]] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    @property
    def is_on(self) -> bool:
        return self.keep or bool(self.listeners)

    def record(self, lane, direction, message, thread, handler, connection, line=None) -> Event:
        message = exact_copy(message)
        message = self.redact(message if isinstance(message, dict) else {"not a dict": message})
        with self._lock:
            number = next(self._numbers)
            facts = number, clock(), lane, direction, message, thread, handler, connection
            return self._keep(Event(*facts, line=line))

    def revise(self, event: Event, changes: dict[str, str | None]) -> Event:
        """Add the state that followed `event`. Returns the event that replaces it."""
        with self._lock:
            return self._keep(replace(event, state={**(event.state or {}), **changes}))

    def _keep(self, event: Event) -> Event:
        if self.keep:
            self.events[event.seq - 1 : event.seq] = [event]
        for listener in self.listeners:
            listener(event)
        return event


@dataclass
class RunningHandler:
    """The handler that runs. Channels dispatches one event at a time, so there is at most one."""

    source: Lane
    name: str
    thread: threading.Thread


class Connection:
    """One call of an ASGI application: it knows which handler runs, and passes events on."""

    def __init__(self, recorder: Recorder):
        self.id = secrets.token_hex(4)
        self.recorder = recorder
        self.running: RunningHandler | None = None
        self._task = asyncio.current_task()
        self._loop_thread = threading.get_ident()
        self._consumer = None
        self._attributes: dict[str, str] = {}
        self._last: Event | None = None

    @property
    def handles_here(self) -> bool:
        """Whether a handler may run here: in the application's own task, or in a thread."""
        try:
            return asyncio.current_task() is self._task
        except RuntimeError:  # not the loop's thread
            return True

    def handler_started(self, source: Lane, message: dict) -> None:
        """A handler starts on `message`, in this thread. It has no name if there is no type."""
        if self.recorder.with_state:
            self._consumer = self._consumer or consumer_on_stack()
        name = str(message.get("type", "")).replace(".", "_")
        here = threading.current_thread()
        self.running = RunningHandler(source, name, here)
        self.note_state()
        # A middleware may read the type in another task than the handler's.
        self._record(source, "in", message, name or None, here.name)

    def handler_returned(self, source: Lane) -> None:
        """The consumer asks `source` for its next event, so the handler of the last one is done."""
        if self.running and self.running.source == source:
            self.note_state()
            self.running = None

    def record(self, lane: Lane, direction: Direction, message: dict) -> None:
        self.note_state()
        sender = current_connection.get() or self  # another connection may send on this one
        line = sender._line() if direction == "out" else None
        self._record(lane, direction, message, *sender._handler_and_thread(), line)

    def _record(self, lane, direction, message, handler, thread: str, line=None) -> None:
        self._last = self.recorder.record(lane, direction, message, thread, handler, self.id, line)

    def note_state(self) -> None:
        """Add to the last event what the consumer has changed in its attributes since then."""
        if self._consumer is None or self._last is None:
            return
        before, now = self._attributes, self.recorder.redact(attributes_of(self._consumer))
        if now != before:
            changed = {name: text for name, text in now.items() if before.get(name) != text}
            changes = {**dict.fromkeys(before.keys() - now.keys()), **changed}
            self._attributes = now
            self._last = self.recorder.revise(self._last, changes)

    def _line(self) -> int | None:
        if self._consumer is None:
            return None
        # The loop's thread may run another connection's handler at this moment.
        thread = self.running and self.running.thread.ident
        is_own = thread != self._loop_thread
        return running_line(self._consumer, thread if is_own else None, self._task)

    def _handler_and_thread(self) -> tuple[str | None, str]:
        """Names of the running handler, or of the task that it started, and of the thread."""
        running, here = self.running, threading.current_thread()
        handler = (running.name or None) if running else None
        try:
            task = asyncio.current_task()
        except RuntimeError:  # not the loop's thread, so only this handler can be at work
            return handler, here.name
        # asgiref sends for a sync handler in a separate task on the loop.
        if task in (None, self._task) or (running and running.thread is not here):
            return handler, (running.thread if running else here).name
        return getattr(task.get_coro(), "__qualname__", task.get_name()), here.name


class Bug(dict):
    """An event whose handler raises: `dispatch` does so itself when it reads the type."""

    def __init__(self, kind: type[Exception] = ValueError):
        super().__init__(type="bug.in.a.handler")
        self.error = kind(f"No handler for message type {self['type']}")


class TrackedMessage(dict):
    """An ASGI message that reports when, and in which thread, a consumer first reads its type.

    `dispatch` reads the type right before it calls the handler, in the handler's thread. No other
    moment shows this without a change to the consumer.

    With Redis, all members of a group in one process receive one dict. `readers` are those that
    receive this one: for each connection, the function to report to.
    """

    __slots__ = ("_error", "_report", "readers")

    def __init__(self, message: dict, report: Callable[[dict], None] | None = None):
        super().__init__(message)
        self._error = message.error if isinstance(message, Bug) else None
        self._report = report
        self.readers: dict[Connection, Callable[[dict], None]] = {}

    def __getitem__(self, key):
        if key == "type":
            self.type_was_read()
        return super().__getitem__(key)

    def get(self, key, default=None):
        """As dict.get(). A `match` statement reads keys in this way, too."""
        if key == "type":
            self.type_was_read()
        return super().get(key, default)

    def __contains__(self, key):
        """As in a dict. Channels asks whether there is a type before it reads the type."""
        found = super().__contains__(key)
        if key == "type" and not found:
            self.type_was_read()
        return found

    def type_was_read(self) -> None:
        """Report once that the handler starts; of each reader, if there are several."""
        report, self._report = self._report, None
        error, self._error = self._error, None  # the report reads the type, too
        if report is None and self.readers:
            report = self.readers.pop(current_connection.get(), None)
        if report:
            report(self)
        connection = current_connection.get()
        if error and consumer_on_stack() and (connection is None or connection.handles_here):
            raise error
        self._error = error  # code around the consumer, or one that receives for it, has read it

    def __reduce__(self):
        return dict, (dict(self),)
