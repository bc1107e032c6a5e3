"""What the traceback of an exception says about the mistake that led to it."""

import ast
import linecache
import traceback
from functools import lru_cache

from channels.utils import await_many_dispatch

from lessons.workshop.engine.faults.finding import Place


def is_simulated_outage(error: BaseException | None) -> bool:
    """Whether a check made a layer fail with `error`. Then it is not the consumer's fault.

    The consumer may raise another exception in its place, which refers to the first.
    """
    while error is not None and not getattr(error, "is_simulated", False):
        error = error.__cause__ or error.__context__
    return error is not None


def place_of_send(file: str, error: BaseException) -> Place | None:
    """The line of `file` that sent the unreadable message, if that is what `error` is about."""
    return next((place for place in getattr(error, "sent_at", ()) if place.file == file), None)


def is_from_crash(error: BaseException, text: str) -> bool:
    """Whether `error` is the exception with that text, and not one that a clean-up raised after it.

    A group (as of a TaskGroup) may hold the exception, and `raise … from` may give it another name.
    A consumer that overrides dispatch() may raise any exception for an unknown event.
    """
    if isinstance(error, BaseExceptionGroup):
        return any(is_from_crash(inner, text) for inner in error.exceptions)
    if str(error) == text:
        return True
    if error.__cause__ is not None and is_from_crash(error.__cause__, text):
        return True
    before, earlier = error, []
    while before := before.__context__:
        earlier.append(str(before))
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return text not in earlier and await_many_dispatch.__code__ in codes


def scope_has_key(error: KeyError) -> bool:
    """Whether a consumer raised this, and its scope has the key."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    owners = (frame.f_locals.get("self") for frame in frames)
    return any(error.args[0] in getattr(it, "scope", ()) for it in owners)


_WRAPPERS = ("database_sync_to_async", "sync_to_async")
# Methods of a queryset that a line calls without their names.
_LAZY = ("__iter__", "__len__", "__bool__", "__getitem__", "__contains__")


def orm_misuse_diagnosis(file: str, error: BaseException) -> str:
    """The diagnosis for a query in async code of `file`: the traceback shows what led to it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [number for number, frame in enumerate(frames) if frame.filename == file]
    if not own:
        return "orm-in-async"
    passed = _passed_calls("".join(linecache.getlines(file)))
    if any((frames[number].lineno, frames[number].colno) in passed for number in own):
        return "called-not-passed"
    called = frames[own[-1] + 1] if own[-1] + 1 < len(frames) else None
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
