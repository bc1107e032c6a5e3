"""Names the faults of one connection: functions from a Client (world/client.py) to a finding.

The client observes what Daphne would see, these functions name. They change nothing.
They look at a moment at which the loop is idle, so that whatever has not happened will not happen.
"""

import ast
import asyncio
import dis
import linecache
import re
import traceback
from functools import lru_cache

from channels.utils import await_many_dispatch
from django.core.exceptions import SynchronousOnlyOperation

from ..recording.events import error_text
from .finding import Finding, Place

# The usual diagnosis of an exception → its diagnosis if a handler of a layer message raised it.
_LAYER_DIAGNOSES = {
    **dict.fromkeys(("no-handler", "no-connect-handler", "no-receive-handler"), "no-layer-handler"),
    **dict.fromkeys(("text-on-binary", "bytes-on-text"), "message-key-missing"),
    "bad-json": "exception",  # no frame has come
}


def silence(client) -> str:
    """The diagnosis for a client that waits and receives nothing."""
    return "handler-never-returned" if client.is_busy else client.rules.silence


def fault_now(client) -> Finding | None:
    """A fault that shows at any time."""
    if fault := fault_of_replies(client):
        return fault
    rules = client.rules
    if not client.has_ended:
        last = client.last_client_type
        code = None if client.is_busy else rules.fault_of_waiting(last)
        return code and client.finding(code, client.source.place_of_handler(last))
    # If a layer has failed and the consumer has closed, the exception is only logged.
    is_over = rules.client_left or rules.disconnect_event
    if client.error is not None and not (is_over and _is_simulated_outage(client.error)):
        return fault_of_error(client, client.error)
    code = rules.fault_of_stopped()
    if code and client.future.cancelled():  # by which line is not known
        return client.finding(code, Place(client.source.file), "It was cancelled.", event="")
    return code and client.finding(code)


def fault_of_replies(client) -> Finding | None:
    """A reply that Daphne drops silently.

    One that is obeyed in part comes last: a model may permit it, and must still see the others.
    """
    dropped = [rule for rule in client.broken if rule.error is None]
    for rule in sorted(dropped, key=lambda it: it.is_obeyed):
        return client.finding(rule.diagnosis, rule.place, rule.remark)
    return None


def fault_of_end(client) -> Finding | None:
    """What is wrong with a consumer that had time to end after its client left."""
    if client.has_ended:
        return _fault_of_leftovers(client, client.rules.leftover_task, "group-leak")
    if fault := _fault_of_uncancelled(client):
        return fault
    return client.finding(client.rules.late_handler if client.rules.client_left else "still-open")


def fault_after_crash(client, cause: str = "") -> Finding | None:
    """What a crashed or killed consumer leaves behind, or raises.

    `cause` is the text of the exception that ended it; it is empty if the consumer was killed.
    """
    if not client.has_ended:
        return _fault_of_uncancelled(client) or client.finding("handler-never-returned")
    if client.error is not None and not (cause and _is_from_crash(client.error, cause)):
        place = client.source.place_of_error(client.error)
        return client.finding("cleanup-raises", place, error_text(client.error))
    calls = [it.message.get("type") for it in client.recorder.events if it.direction == "out"]
    was_joining = not cause and calls[-1:] == ["group_add"]
    leak = "cancelled-while-joining" if was_joining else "group-leak-after-a-crash"
    return _fault_of_leftovers(client, "cleanup-skipped", leak)


def fault_of_failed_task(client) -> Finding | None:
    """A task that ended with an exception while the client waits."""
    for error in client.failed:
        # A task of Channels listens on the layer, and fails with it.
        if client.source.place_of_error(error) or not _is_simulated_outage(error):
            return fault_of_error(client, error, unknown="task-died")
    return None


def _fault_of_uncancelled(client) -> Finding | None:
    task = next(iter(client.uncancelled), None)
    return task and client.finding("cancel-swallowed", client.source.place_of_task(task))


def _fault_of_leftovers(client, task_left: str, group_left: str) -> Finding | None:
    """A leftover task or group membership, with the diagnosis for it."""
    if fault := _fault_of_uncancelled(client):
        return fault
    for task in client.tasks:
        if task in asyncio.get_running_loop().parked_tasks:
            continue
        detail = f"The task {task.get_coro().__qualname__} is still running."
        return client.finding(task_left, client.source.place_of_task(task), detail)
    for channel, group in client.groups():
        place = _place_of_joining(client, group)
        detail = f"The channel {channel} is still a member of the group {group}."
        return client.finding(group_left, place, detail, event="")
    return None


def _place_of_joining(client, group: str) -> Place | None:
    """The handler in which the consumer has joined the group."""
    for event in client.recorder.events:
        if (event.message.get("type"), event.message.get("group")) == ("group_add", group):
            place = client.source.place_of_handler(event.handler or "")
            return place if place.handler else None
    return None


def fault_of_error(client, error: BaseException, unknown="exception") -> Finding:
    """What an exception means; `unknown` is its diagnosis if its text does not say more."""
    raised = error_text(error)
    for rule in client.broken:
        if rule.error is error:
            detail = "\n".join(filter(None, (raised, rule.remark)))
            return client.finding(rule.diagnosis, rule.place, detail)
    place = client.source.place_of_error(error)
    more = {"raised": raised, "instead": _meanings_here(client, error, place)}
    for sent in getattr(error, "sent_at", ()):
        if client.source.owns(sent.file):  # the sender's line is wrong, not the last handler
            place, more["event"] = sent, ""
            break
    late = None if _is_raised_by(client.source, error) else client.rules.late_exception
    return client.finding(late or unknown, place, raised, **more)


def _is_raised_by(source, error: BaseException) -> bool:
    """Whether a `raise` of the student has raised it."""
    last = error.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    code = last and last.tb_frame.f_code
    is_raise = code and dis.opname[code.co_code[last.tb_lasti]] == "RAISE_VARARGS"
    return bool(is_raise and source.owns(code.co_filename))


def _meanings_here(client, error: BaseException, place: Place | None) -> dict[str, str]:
    """The diagnoses of an exception that mean another one where this exception was raised."""
    instead = dict(_LAYER_DIAGNOSES) if client.handles_layer_message else {}
    if isinstance(error, KeyError):
        frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
        scopes = (getattr(frame.f_locals.get("self"), "scope", ()) for frame in frames)
        if any(error.args == (key,) for scope in scopes for key in scope):
            instead["no-auth-stack"] = "exception"  # another dictionary has no such key
        if not client.handles_layer_message and not _reads_event(client.source.file, error):
            instead |= dict.fromkeys(("text-on-binary", "bytes-on-text"), "exception")
    if "json" not in "".join(linecache.getlines(client.source.file)):
        instead["not-an-object"] = "exception"
    if place:  # Channels awaits handlers; this `await` is in the student's code
        instead["def-handler-in-async-consumer"] = "awaited-none"
    if isinstance(error, SynchronousOnlyOperation):
        instead["orm-in-async"] = orm_misuse_diagnosis(client.source.file, error)
    if client.last_type != client.rules.disconnect_type:
        instead["code-is-none"] = "exception"  # only a disconnect has a code
    return instead


# What the traceback of an exception says about the mistake that led to it


def _reads_event(file: str, error: BaseException) -> bool:
    """Whether the innermost line of `file` that raised `error` reads a key of a client's event."""
    own = [it for it in traceback.walk_tb(error.__traceback__) if it[0].f_code.co_filename == file]
    if not own:
        return False
    frame, line = own[-1]
    events = [
        name
        for name, value in frame.f_locals.items()
        if isinstance(value, dict) and dict.get(value, "type") == "websocket.receive"
    ]
    text = linecache.getline(file, line)
    return any(re.search(rf"\b{name}\b *(\[|\.pop\()", text) for name in events)


def _is_simulated_outage(error: BaseException | None) -> bool:
    """Whether a check made a layer fail with `error`. Then it is not the consumer's fault.

    The consumer may raise another exception in its place, which refers to the first.
    """
    while error is not None and not getattr(error, "is_simulated", False):
        error = error.__cause__ or error.__context__
    return error is not None


def _is_from_crash(error: BaseException, text: str) -> bool:
    """Whether `error` is the exception with that text, and not one that a clean-up raised after it.

    A group (as of a TaskGroup) may hold the exception, and `raise … from` may give it another name.
    A consumer that overrides dispatch() may raise any exception for an unknown event.
    """
    if isinstance(error, BaseExceptionGroup):
        return any(_is_from_crash(inner, text) for inner in error.exceptions)
    if str(error) == text:
        return True
    if error.__cause__ is not None and _is_from_crash(error.__cause__, text):
        return True
    before, earlier = error, []
    while before := before.__context__:
        earlier.append(str(before))
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return text not in earlier and await_many_dispatch.__code__ in codes


_WRAPPERS = ("database_sync_to_async", "sync_to_async")
# Methods of a queryset that a line calls without their names.
_LAZY = ("__iter__", "__len__", "__bool__", "__getitem__", "__contains__")


def orm_misuse_diagnosis(file: str, error: BaseException) -> str:
    """The diagnosis for a query in async code of `file`: the traceback shows what led to it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [number for number, frame in enumerate(frames) if frame.filename == file]
    passed = _passed_calls("".join(linecache.getlines(file)))
    if any((frames[number].lineno, frames[number].colno) in passed for number in own):
        return "called-not-passed"
    called = frames[own[-1] + 1] if own and own[-1] + 1 < len(frames) else None
    if called and called.name == "__get__" and called.filename.endswith("related_descriptors.py"):
        return "unfetched-relation"
    if called and called.name in _LAZY and called.filename.endswith("query.py"):
        return "lazy-queryset"
    return "orm-in-async"


@lru_cache(maxsize=8)
def _passed_calls(source: str) -> set[tuple[int, int]]:
    """Where a call stands as the argument of database_sync_to_async(...), by line and column."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return {
        (call.args[0].lineno, call.args[0].col_offset)
        for call in calls
        if getattr(call.func, "id", getattr(call.func, "attr", "")) in _WRAPPERS
        and call.args
        and isinstance(call.args[0], ast.Call)
    }
