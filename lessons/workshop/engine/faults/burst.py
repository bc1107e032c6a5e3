"""Names the faults of a conversation that no connection has, or that it has recorded."""

from channels.consumer import SyncConsumer
from channels.layers import InMemoryChannelLayer
from django.db import IntegrityError

from ..recording.events import Event, error_text
from ..recording.layer import RecordingLayer
from .finding import Finding, Place, SourceFile, SubjectSource, make_finding

ROWS_COLLIDE = "rows-collide"


def fault_outside_consumers(source: SourceFile, error: Exception) -> Finding | None:
    """An exception of code that a step has called, such as a receiver of a signal.

    A step that cannot save its row has found rows that the consumer has written.
    """
    detail = error_text(error)
    if place := source.place_of_error(error):
        return make_finding("function-raised", place, detail=detail, raised=detail)
    if place := source.place_of_wrong_call(error):
        return make_finding("callback-arguments", place, detail=detail)
    if isinstance(error, IntegrityError):
        return make_finding(ROWS_COLLIDE, Place(source.file), detail=detail)
    return None


def fault_of_query(source: SubjectSource, event: Event, loop_thread: str) -> Finding | None:
    """A query on the loop's thread. Django raises for it, unless a setting switches that off."""
    if (event.lane, event.thread) != ("database", loop_thread):
        return None
    place = source.place_of_handler(event.handler or "")
    return make_finding("query-on-loop", place, detail=event.message.get("sql", ""))


def fault_of_coroutine(source: SubjectSource, name: str, place: Place) -> Finding:
    """The coroutine `name`, created at `place`, was never awaited."""
    owner, _, method = name.rpartition(".")
    is_sync = isinstance(source.subject, type) and issubclass(source.subject, SyncConsumer)
    if is_sync and getattr(getattr(source.subject, method, None), "__qualname__", "") == name:
        return make_finding("async-handler-in-sync-consumer", source.place_of_handler(method))
    is_layer = owner == RecordingLayer.__name__
    # In the student's project this is a method of the channel layer, not of the recorder.
    name = f"{InMemoryChannelLayer.__name__}.{method}" if is_layer else name
    code = "layer-not-called" if is_layer and is_sync else "never-awaited"
    return make_finding(code, place, detail=f"coroutine '{name}' was never awaited")
