"""The server's side of a test connection: it stands in for Daphne, and sees how it is treated."""

import ast
import asyncio
import linecache
import traceback
from contextvars import ContextVar
from functools import lru_cache

from lessons.core.diagnoses import recognise
from lessons.simulator.channel_layer import current_layers, is_simulated_outage, place_of_send
from lessons.simulator.daphne_rules import BrokenRule
from lessons.simulator.finding import (
    CheckFailed,
    Place,
    Source,
    make_finding,
    place_of_error,
    running_place,
)
from lessons.wire.events import Event, exact_copy
from lessons.wire.middleware import RecordingMiddleware
from lessons.wire.recorder import Connection, Recorder, current_connection

# The connection that a task was started for: whoever serves it says so, its tasks inherit it.
_serving: ContextVar = ContextVar("serving", default=None)

# What an exception means where the handler for a message of the layer's raised it.
_AT_THE_LAYER = {
    **dict.fromkeys(("no-handler", "no-connect-handler", "no-receive-handler"), "no-layer-handler"),
    **dict.fromkeys(("text-on-binary", "bytes-on-text"), "message-key-missing"),
}

# Kept: where one is collected, a loop with a bare except spins without end on its GeneratorExit.
_abandoned_tasks: list[asyncio.Task] = []


class FakeServer:
    """Hands a consumer its events, takes what it sends by Daphne's rules, judges what it did.

    `rules` are those of the protocol: DaphneRules for a WebSocket, HttpRules for a request.
    `unread` holds what a client would have received and has not looked at yet, `last_type` the
    type of the event, the client's or the layer's, whose handler is held responsible for what comes
    next.
    """

    def __init__(self, application, rules):
        self.recorder = Recorder()
        self.recorder.listeners.append(self._on_event)
        self.rules = rules
        self.source = Source(application)
        self.inbox: asyncio.Queue = asyncio.Queue()
        self.unread: list[dict] = []
        self.came = asyncio.Event()
        self.is_judged = False  # a CheckFailed was raised: what comes after it is its consequence
        self._application = RecordingMiddleware(application, self.recorder)
        self._asked, self._handed = 0, 0
        self._connection: Connection | None = None
        self._client_type = ""  # of the event that the client sent last
        self.last_type = ""
        self._broken: list[tuple[BrokenRule, Place]] = []

    async def serve(self, scope, receive, send):
        """Run the application: an ASGI application in place of the one that is judged."""
        _serving.set(self)
        await self._application(scope, self._receive, self._send)

    @property
    def transcript(self) -> tuple[Event, ...]:
        return tuple(self.recorder.events)

    @property
    def started(self) -> bool:
        """Whether the consumer has asked for its first event."""
        return self._asked > 0

    @property
    def client_left(self) -> bool:
        return self.rules.gone

    def deliver(self, message: dict) -> None:
        """Let an event arrive."""
        if message.get("type") == self.rules.leaving:
            self.rules.client_left()
        self.inbox.put_nowait(message)

    @property
    def connection_id(self) -> str:
        """Under which the connection is recorded; empty before the consumer has begun."""
        return self._connection.id if self._connection else ""

    async def _receive(self):
        self._asked += 1
        self._connection = current_connection.get()
        message = await self.inbox.get()
        self._handed += 1
        self._client_type = message.get("type", "")
        if not self._layer_at_work():
            self.last_type = self._client_type
        return message

    def _on_event(self, event: Event) -> None:
        """A handler begins, on an event of the client's or on a message of the layer's."""
        if event.direction == "in" and event.message.get("type") != "scope":
            self.last_type = str(event.message.get("type", ""))

    def _layer_at_work(self) -> bool:
        """Whether a handler for a message of the layer's has begun and not returned."""
        running = self._connection and self._connection.running
        return bool(running) and running.source == "layer"

    async def _send(self, message):
        message = exact_copy(message)
        try:
            self.rules.take(message)
        except BrokenRule as broken:
            place = running_place(self.source.file)
            self._broken.append((broken, place or self._place_of_handler()))
            if broken.error:
                raise broken.error from None
            return
        if not self.client_left:
            self.unread.append(message)
            self.came.set()

    def failure(self, name: str, place: Place | None = None, detail: str = "") -> CheckFailed:
        """The exception that says: diagnosis `name`, by default at the last handler that ran."""
        self.is_judged = True
        place = place or self._place_of_handler()
        return CheckFailed(make_finding(name, place, self.last_type, detail), self.transcript)

    def reason_for_silence(self, application: asyncio.Future) -> str:
        """Id of the diagnosis for a client that waits in vain."""
        return "handler-never-returned" if self.is_busy(application) else self.rules.silence

    def is_busy(self, application: asyncio.Future) -> bool:
        """Whether a handler has begun and not returned."""
        return not application.done() and not self._handler_returned()

    def judge_what_is_left(self, name: str, leak: str = "group-leak") -> None:
        """Raise CheckFailed for a task (`name`) or a group membership (`leak`) that is left."""
        self.judge_stubborn_tasks()
        for task in self._unfinished():
            raise self.failure(name, self.source.place_of_task(task))
        for layer in current_layers().values():
            for group in layer.groups_of(self.connection_id):
                channel = layer.channel_of(self.connection_id)
                raise self.failure(leak, detail=f"{channel} is still a member of {group}.")

    def judge_stubborn_tasks(self) -> None:
        """Raise CheckFailed for a task that was cancelled and goes on."""
        for task in self._unfinished():
            if task.cancelling():
                raise self.failure("cancel-swallowed", self.source.place_of_task(task))

    def drop_stubborn_tasks(self) -> None:
        """Let the loop end without those tasks: it would wait for them for ever."""
        for task in self._unfinished():
            if task.cancelling():
                asyncio.tasks._unregister_task(task)  # as the documentation lets a loop do
                _abandoned_tasks.append(task)

    def judge_dead_tasks(self) -> None:
        """Raise CheckFailed for a task that ended with an exception while a client waits."""
        for task in self._tasks():
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise self._red_for(error, unknown="task-died") from error

    def judge_after_crash(self, application: asyncio.Future, cause: str = "") -> None:
        """Raise CheckFailed for what a consumer leaves behind, or raises, when it is made to end.

        `cause` is the text of the exception that it was made to end with; none for a kill.
        """
        self.rules.client_left()
        if not application.done():
            self.judge_stubborn_tasks()
            raise self.failure("handler-never-returned")
        error = None if application.cancelled() else application.exception()
        if error is not None and not _holds(error, cause):
            place = place_of_error(self.source.file, error)
            raise self.failure(
                "cleanup-raises", place, f"{type(error).__name__}: {error}"
            ) from error
        self.judge_what_is_left("cleanup-skipped", leak="group-leak-after-a-crash")
        self.is_judged = True  # an end without websocket.disconnect: nothing more is asked of it

    def _tasks(self) -> list[asyncio.Task]:
        """Every task that was started for this connection, those that have ended too, if kept."""
        return asyncio.get_running_loop().tasks_started_with(_serving, self)

    def _unfinished(self) -> list[asyncio.Task]:
        return [task for task in self._tasks() if not task.done()]

    def judge_replies(self) -> None:
        """Raise CheckFailed for a reply that Daphne would have dropped without a word."""
        for broken, place in self._broken:
            if broken.error is None:
                raise self.failure(broken.diagnosis, place)

    def judge(self, application: asyncio.Future) -> None:
        """Raise CheckFailed for what can be seen to be wrong while nothing moves."""
        self.judge_replies()
        if application.done():
            self._judge_the_end(application)
        elif self._handler_returned():
            self._judge_the_pause()

    def _judge_the_end(self, application: asyncio.Future) -> None:
        error = None if application.cancelled() else application.exception()
        if error is not None and not self._may_be_raised(error):
            raise self._red_for(error) from error
        if fault := self.rules.fault_at_the_end():
            raise self.failure(fault)

    def _may_be_raised(self, error: BaseException) -> bool:
        """Whether a layer failed and the client was told: the exception is then for the log."""
        return is_simulated_outage(error) and bool(self.client_left or self.rules.farewell)

    def _judge_the_pause(self) -> None:
        if fault := self.rules.fault_in_a_pause(self._client_type):
            raise self.failure(fault, self.source.place_of_handler(self._client_type))

    def _red_for(self, error: BaseException, unknown: str = "exception") -> CheckFailed:
        detail = f"{type(error).__name__}: {error}"
        for broken, place in self._broken:
            if broken.error is error:
                return self.failure(broken.diagnosis, place, detail)
        name, place = recognise(error), place_of_error(self.source.file, error)
        if name == "def-handler-in-async-consumer" and place:
            name = "awaited-none"  # Channels awaits the handlers; this await is the student's own
        elif name == "orm-in-async":
            name = orm_misuse_diagnosis(self.source.file, error)
        elif name == "code-is-none" and self.last_type != self.rules.leaving:
            name = "exception"  # another None: no code comes with this event
        elif self._layer_at_work():
            name = _AT_THE_LAYER.get(name, name)
        if sent := place_of_send(self.source.file, error):
            place, self.last_type = sent, ""  # it is not the receiver's last handler that was wrong
        if name == "exception":
            name = self.rules.fault_of_going_on or unknown
        return self.failure(name, place, detail)

    def _handler_returned(self) -> bool:
        """Whether the consumer asks for its next event: it does so when a handler has returned."""
        asks = self._asked > self._handed and self.inbox.empty()
        return asks and not self._layer_at_work()

    def _place_of_handler(self) -> Place:
        return self.source.place_of_handler(self.last_type)


def _holds(error: BaseException, text: str) -> bool:
    """Whether `error` is the one with that text, or a group (as of a TaskGroup) that has it."""
    if isinstance(error, BaseExceptionGroup):
        return any(_holds(inner, text) for inner in error.exceptions)
    return bool(text) and str(error) == text


# How code asked the database where it may not: what was misunderstood shows in the traceback.

_WRAPPERS = ("database_sync_to_async", "sync_to_async")
# Methods of a queryset that a line calls without naming them.
_LAZY = ("__iter__", "__len__", "__bool__", "__getitem__", "__contains__")


def orm_misuse_diagnosis(file: str, error: BaseException) -> str:
    """Id of the diagnosis for a query that async code of `file` has made."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [number for number, frame in enumerate(frames) if frame.filename == file]
    if not own:
        return "orm-in-async"
    if any(_is_called_in_place_of_passed(file, frames[number]) for number in own):
        return "called-not-passed"
    called = frames[own[-1] + 1] if own[-1] + 1 < len(frames) else None
    if called and called.name == "__get__" and called.filename.endswith("related_descriptors.py"):
        return "unfetched-relation"
    if called and called.name in _LAZY and called.filename.endswith("query.py"):
        return "lazy-queryset"
    return "orm-in-async"


def _is_called_in_place_of_passed(file: str, frame: traceback.FrameSummary) -> bool:
    """Whether the call at work there is what database_sync_to_async(...) was given."""
    return (frame.lineno, frame.colno) in _given_calls("".join(linecache.getlines(file)))


@lru_cache(maxsize=8)
def _given_calls(source: str) -> set[tuple[int, int]]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if (
            not isinstance(node, ast.Call)
            or not node.args
            or not isinstance(node.args[0], ast.Call)
        ):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in _WRAPPERS:
            found.add((node.args[0].lineno, node.args[0].col_offset))
    return found
