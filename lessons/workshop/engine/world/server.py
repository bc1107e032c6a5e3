"""The fake server: it connects a test's client with the consumer, as Daphne does in production.

It does three things for one connection:

1. It **records**. It runs the application inside a RecordingMiddleware, so every event of the
   connection is in its transcript, with the handler that was running.
2. It **applies Daphne's rules** to each message that the consumer sends. `rules` is the state
   machine of the protocol (daphne_rules.py). If Daphne raises, so does the server, in the
   consumer's own call of send(). If Daphne drops the message silently, the server keeps that fault.
3. It **names faults**. When the loop is idle, a communicator calls judge(). The server then looks
   at what is left: has the application ended, and with which exception? Does a handler still run?
   Are there tasks or group memberships? Each fault becomes a CheckFailed with a diagnosis.

The server never asks the consumer anything. It knows that a handler has returned because Channels
calls receive() again only then. For example, a consumer that forgets to accept:

    server hands out websocket.connect     # the handler runs, and returns
    the consumer calls receive() again     # the loop is idle: nothing more will happen
    server.judge(...)                      # state is CONNECTING -> CheckFailed "no-accept"
"""

import ast
import asyncio
import linecache
import traceback
from contextvars import ContextVar
from functools import lru_cache
from types import CodeType

from channels.utils import await_many_dispatch
from django.core.exceptions import SynchronousOnlyOperation

from lessons.workshop.engine.faults.finding import (
    CheckFailed,
    Finding,
    Place,
    SubjectSource,
    make_finding,
    place_of_error,
    running_place,
)
from lessons.workshop.engine.recording.events import Event, error_text, exact_copy
from lessons.workshop.engine.recording.middleware import RecordingMiddleware
from lessons.workshop.engine.recording.recorder import Connection, Recorder, current_connection
from lessons.workshop.engine.world.channel_layer import (
    current_layers,
    is_simulated_outage,
    place_of_send,
)
from lessons.workshop.engine.world.daphne_rules import CODE_DROPPED, BrokenRule, ignored_keys_text
from lessons.workshop.engine.world.interleaving import switch_point_after_send

# The server that runs the application. Every task that the application starts inherits it.
_current_server: ContextVar = ContextVar("current server", default=None)

# The usual diagnosis of an exception → its diagnosis if a handler of a layer message raised it.
_LAYER_DIAGNOSES = {
    **dict.fromkeys(("no-handler", "no-connect-handler", "no-receive-handler"), "no-layer-handler"),
    **dict.fromkeys(("text-on-binary", "bytes-on-text"), "message-key-missing"),
}

# Tasks that cannot be cancelled. They are kept: when such a task is freed, Python raises
# GeneratorExit in its coroutine, and a loop with a bare except then spins for ever.
_abandoned_tasks: list[asyncio.Task] = []


class FakeServer:
    """Serves one connection by Daphne's rules, and judges what the consumer does.

    `rules` are those of the protocol: WebSocketRules or HttpRules. `unread` holds what the client
    has received and no check has read. `last_type` is the type of the event, from the client or
    the layer, whose handler is responsible for what comes next.
    """

    def __init__(self, application, rules):
        self.recorder = Recorder()
        self.recorder.listeners.append(self._on_event)
        self.rules = rules
        self.source = SubjectSource(application)
        self.inbox: asyncio.Queue = asyncio.Queue()
        self._held: list[dict] = []  # events of a client that waits for the handshake's answer
        self.unread: list[dict] = []
        self.arrivals: list[tuple[float, dict]] = []  # as `unread`, with the loop's times
        self.finds_lines = False  # whether it looks for the line that sends each message
        self.sent_from: list[Place | None] = []  # one for each item of `arrivals`
        self.sent_too_late: list[dict] = []  # after the consumer received the disconnect
        self.output_arrived = asyncio.Event()
        self.is_judged = False  # a CheckFailed was raised: further faults only follow from it
        self.last_type = ""
        self._application = RecordingMiddleware(application, self.recorder)
        self._task: asyncio.Task | None = None  # it runs the application
        self._connection: Connection | None = None
        self._receive_calls = self._events_taken = 0
        self._client_type = ""  # of the last event from the client
        self._broken: list[tuple[BrokenRule, Place]] = []
        self._has_returned = False
        self.sent_after_end: Place | None = None  # what sent when the application had returned

    # Serving

    async def serve(self, scope, receive, send):
        """The ASGI application that a communicator runs instead of the student's application."""
        _current_server.set(self)
        self._task = asyncio.current_task()
        try:
            await self._application(scope, self._receive, self._send)
        finally:
            self._has_returned = True

    def deliver(self, message: dict) -> None:
        """Put an event into the consumer's queue."""
        if message.get("type") == self.rules.disconnect_type:
            self.rules.disconnect()
        self.inbox.put_nowait(message)

    def deliver_after_handshake(self, message: dict) -> None:
        """As deliver(). But a client sends no frame before it was accepted: until then it waits."""
        is_frame = message.get("type") == "websocket.receive"
        if is_frame and self.rules.is_rejected:
            return
        if self._held or (is_frame and self.rules.awaits_answer):
            self._held.append(message)
        else:
            self.deliver(message)

    def _deliver_held(self) -> None:
        """Deliver the held events, unless the client was rejected."""
        held, self._held = self._held, []
        if not self.rules.is_rejected:
            for message in held:
                self.deliver(message)

    async def _receive(self):
        self._receive_calls += 1
        self._connection = current_connection.get()
        message = await self.inbox.get()
        self._events_taken += 1
        self._client_type = message.get("type", "")
        if not self._layer_handler_runs():
            self.last_type = self._client_type
        return message

    async def _send(self, message):
        if self._has_returned:
            self.sent_after_end = running_place(self.source.file) or self.place_of_handler()
        try:
            is_seen = self.rules.apply(message)
        except BrokenRule as broken:
            remarks = broken.remark, ignored_keys_text(message)
            broken.remark = "\n".join(filter(None, remarks))
            place = running_place(self.source.file)
            self._broken.append((broken, place or self.place_of_handler()))
            if broken.error:
                raise broken.error from None
            if broken.diagnosis != CODE_DROPPED:
                return
            is_seen = True  # Daphne drops only the code
        if self._held and not self.rules.awaits_answer:
            self._deliver_held()
        message = exact_copy(message)  # the client receives values, not objects
        if is_seen:
            self.unread.append(message)
            self.arrivals.append((asyncio.get_running_loop().time(), message))
            place = running_place(self.source.file) if self.finds_lines else None
            self.sent_from.append(place)
            self.output_arrived.set()
        elif self.client_left and self._client_type == self.rules.disconnect_type:
            self.sent_too_late.append(message)
        await switch_point_after_send()

    def _on_event(self, event: Event) -> None:
        """A handler starts on an event from the client or a message from the layer."""
        if event.direction == "in" and event.message.get("type") != "scope":
            self.last_type = str(event.message.get("type", ""))

    # State

    @property
    def transcript(self) -> tuple[Event, ...]:
        return tuple(self.recorder.events)

    @property
    def started(self) -> bool:
        """Whether the consumer has called receive()."""
        return self._receive_calls > 0

    @property
    def client_left(self) -> bool:
        return self.rules.client_left

    @property
    def connection_id(self) -> str:
        """The id in the recorded events. It is empty before the consumer has started."""
        return self._connection.id if self._connection else ""

    def is_busy(self, application: asyncio.Future) -> bool:
        """Whether a handler has started and not returned."""
        return not application.done() and not self._handler_returned()

    def _handler_returned(self) -> bool:
        """Whether the consumer waits for its next event, so its last handler has returned."""
        waits = self._receive_calls > self._events_taken and self.inbox.empty()
        return waits and not self._layer_handler_runs()

    def _layer_handler_runs(self) -> bool:
        """Whether the handler of a channel layer message has started and not returned."""
        running = self._connection and self._connection.running
        return bool(running) and running.source == "layer"

    def _tasks(self) -> list[asyncio.Task]:
        """Every task of this connection, done or not, that is still in memory."""
        return asyncio.get_running_loop().tasks_started_with(_current_server, self)

    def _unfinished_tasks(self) -> list[asyncio.Task]:
        return [task for task in self._tasks() if not task.done()]

    # Faults

    def failure(
        self,
        name: str,
        place: Place | None = None,
        detail: str = "",
        event: str | None = None,
        **more,
    ) -> CheckFailed:
        """The CheckFailed with diagnosis `name`, by default at the last handler and its event."""
        self.is_judged = True
        place = place or self.place_of_handler()
        event = self.last_type if event is None else event
        return CheckFailed(make_finding(name, place, event, detail, **more), self.transcript)

    def silence_diagnosis(self, application: asyncio.Future) -> str:
        """The diagnosis for a client that waits and receives nothing."""
        return "handler-never-returned" if self.is_busy(application) else self.rules.silence

    def judge(self, application: asyncio.Future) -> None:
        """Raise CheckFailed for a fault that shows while the loop is idle."""
        self.judge_replies()
        if application.done():
            self._judge_stopped(application)
        elif self._handler_returned() and (fault := self.rules.fault_of_waiting(self._client_type)):
            raise self.failure(fault, self.source.place_of_handler(self._client_type))

    def judge_replies(self) -> None:
        """Raise CheckFailed for a reply that Daphne drops silently.

        A rejection with a code comes last: a model may permit it, and must still see the others.
        """
        dropped = [it for it in self._broken if it[0].error is None]
        for broken, place in sorted(dropped, key=lambda it: it[0].diagnosis == CODE_DROPPED):
            raise self.failure(broken.diagnosis, place, broken.remark)

    def _judge_stopped(self, application: asyncio.Future) -> None:
        error = None if application.cancelled() else application.exception()
        if error is not None and not self._is_expected(error):
            raise self._failure_for(error) from error
        if fault := self.rules.fault_of_stopped():
            raise self.failure(fault)

    def _is_expected(self, error: BaseException) -> bool:
        """Whether a layer failed and the consumer closed: then the exception is only logged."""
        has_closed = self.client_left or self.rules.disconnect_event
        return is_simulated_outage(error) and bool(has_closed)

    def judge_leftovers(self, name: str, leak: str = "group-leak") -> None:
        """Raise CheckFailed for a leftover task (`name`) or group membership (`leak`)."""
        self.judge_uncancelled_tasks()
        for task in self._unfinished_tasks():
            if task not in asyncio.get_running_loop().parked_tasks:
                place = self.source.place_of_task(task)
                detail = f"The task {task.get_coro().__qualname__} is still running."
                raise self.failure(name, place, detail)
        for layer in current_layers().values():
            for group in layer.groups_of(self.connection_id):
                channel = layer.channel_of(self.connection_id)
                detail = f"The channel {channel} is still a member of the group {group}."
                raise self.failure(leak, self._place_of_joining(group), detail, event="")

    def _place_of_joining(self, group: str) -> Place | None:
        """The handler that joined the group, if one did."""
        for event in self.recorder.events:
            message = event.message
            if (message.get("type"), message.get("group")) == ("group_add", group):
                place = self.source.place_of_handler(event.handler or "")
                return place if place.handler else None
        return None

    def judge_uncancelled_tasks(self) -> None:
        """Raise CheckFailed for a task that was cancelled and goes on."""
        for task in self._unfinished_tasks():
            if task.cancelling():
                raise self.failure("cancel-swallowed", self.source.place_of_task(task))

    def drop_uncancelled_tasks(self) -> None:
        """Let the loop end without the tasks that go on: it would wait for them for ever."""
        for task in self._unfinished_tasks():
            if task.cancelling():
                asyncio.tasks._unregister_task(task)  # asyncio's documentation allows this to loops
                _abandoned_tasks.append(task)

    def finding_of_failed_task(self) -> Finding | None:
        """The finding for a task that ended with an exception, if there is one."""
        last_type, is_judged = self.last_type, self.is_judged
        try:
            self.judge_failed_tasks()
        except CheckFailed as failure:
            self.last_type, self.is_judged = last_type, is_judged
            return failure.finding
        return None

    def judge_failed_tasks(self) -> None:
        """Raise CheckFailed for a task that ended with an exception while the client waits."""
        for task in self._tasks():
            if task.done() and not task.cancelled() and (error := task.exception()):
                if is_simulated_outage(error) and not place_of_error(self.source.file, error):
                    continue  # a task of Channels, which listens on the layer
                raise self._failure_for(error, unknown="task-died") from error

    def judge_after_crash(self, application: asyncio.Future, cause: str = "") -> None:
        """Raise CheckFailed if a crashed or killed consumer leaves something behind, or raises.

        `cause` is the text of the exception that ended it; it is empty if the consumer was killed.
        """
        self.rules.disconnect()
        if not application.done():
            self.judge_uncancelled_tasks()
            raise self.failure("handler-never-returned")
        error = None if application.cancelled() else application.exception()
        if error is not None and not (cause and _is_crash(error, cause)):
            place = place_of_error(self.source.file, error)
            detail = error_text(error)
            raise self.failure("cleanup-raises", place, detail) from error
        was_joining = not cause and self._joined_last()
        leak = "cancelled-while-joining" if was_joining else "group-leak-after-a-crash"
        self.judge_leftovers("cleanup-skipped", leak)
        self.is_judged = True  # there was no websocket.disconnect, so no further claim holds

    def _joined_last(self) -> bool:
        """Whether the consumer has done nothing since it called group_add()."""
        own = [it for it in self.transcript if it.connection == self.connection_id]
        calls = [it.message.get("type") for it in own if it.direction == "out"]
        return calls[-1:] == ["group_add"]

    def _failure_for(self, error: BaseException, unknown: str = "exception") -> CheckFailed:
        """The CheckFailed for an exception; `unknown` is its diagnosis if no other one fits."""
        detail = error_text(error)
        for broken, place in self._broken:
            if broken.error is error:
                detail = "\n".join(filter(None, (detail, broken.remark)))
                return self.failure(broken.diagnosis, place, detail)
        place = place_of_error(self.source.file, error)
        instead = self._meanings_here(error, place)
        if sent := place_of_send(self.source.file, error):
            place, self.last_type = sent, ""  # the sender's line is wrong, not the last handler
        name = self.rules.late_exception or unknown
        return self.failure(name, place, detail, raised=error_text(error), instead=instead)

    def _meanings_here(self, error: BaseException, place: Place | None) -> dict[str, str]:
        """The diagnoses of an exception that mean another one where this exception was raised."""
        instead = dict(_LAYER_DIAGNOSES) if self._layer_handler_runs() else {}
        if isinstance(error, KeyError) and _scope_has_key(error):
            instead["no-auth-stack"] = "exception"  # another dictionary has no such key
        if place:  # Channels awaits handlers; this `await` is in the student's code
            instead["def-handler-in-async-consumer"] = "awaited-none"
        if isinstance(error, SynchronousOnlyOperation):
            instead["orm-in-async"] = orm_misuse_diagnosis(self.source.file, error)
        if self.last_type != self.rules.disconnect_type:
            instead["code-is-none"] = "exception"  # only a disconnect has a code
        return instead

    def place_of_handler(self) -> Place:
        """The line at which the last handler waits, or that defines it if it has returned."""
        return self.place_of_wait() or self.source.place_of_handler(self.last_type)

    def place_of_wait(self) -> Place | None:
        """The line of the student's file at which the application waits, if a handler runs."""
        if self._task is None or not self.is_busy(self._task):
            return None
        return self.source.place_of_wait(self._task)


def _is_crash(error: BaseException, text: str) -> bool:
    """Whether `error` is the exception with that text, and not one that a clean-up raised after it.

    A group (as of a TaskGroup) may hold the exception, and `raise … from` may give it another name.
    A consumer that overrides dispatch() may raise any exception for an unknown event.
    """
    if isinstance(error, BaseExceptionGroup):
        return any(_is_crash(inner, text) for inner in error.exceptions)
    if str(error) == text:
        return True
    if error.__cause__ is not None and _is_crash(error.__cause__, text):
        return True
    before, earlier = error, []
    while before := before.__context__:
        earlier.append(str(before))
    return text not in earlier and await_many_dispatch.__code__ in _codes(error)


def _scope_has_key(error: BaseException) -> bool:
    """Whether a consumer raised this KeyError, and its scope has the key."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    owners = (frame.f_locals.get("self") for frame in frames)
    return any(error.args[0] in getattr(it, "scope", ()) for it in owners)


def _codes(error: BaseException) -> list[CodeType]:
    """The code of each function that `error` has left."""
    return [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]


# Which mistake led to a query in async code

_WRAPPERS = ("database_sync_to_async", "sync_to_async")
# Methods of a queryset that a line calls without their names.
_LAZY = ("__iter__", "__len__", "__bool__", "__getitem__", "__contains__")


def orm_misuse_diagnosis(file: str, error: BaseException) -> str:
    """The diagnosis for a query in async code of `file`: the traceback shows what led to it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [number for number, frame in enumerate(frames) if frame.filename == file]
    if not own:
        return "orm-in-async"
    if any(_is_called_not_passed(file, frames[number]) for number in own):
        return "called-not-passed"
    called = frames[own[-1] + 1] if own[-1] + 1 < len(frames) else None
    if called and called.name == "__get__" and called.filename.endswith("related_descriptors.py"):
        return "unfetched-relation"
    if called and called.name in _LAZY and called.filename.endswith("query.py"):
        return "lazy-queryset"
    return "orm-in-async"


def _is_called_not_passed(file: str, frame: traceback.FrameSummary) -> bool:
    """Whether the frame runs a call that is an argument of database_sync_to_async(...)."""
    return (frame.lineno, frame.colno) in _passed_calls("".join(linecache.getlines(file)))


@lru_cache(maxsize=8)
def _passed_calls(source: str) -> set[tuple[int, int]]:
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
