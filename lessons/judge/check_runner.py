"""Performs one check on one subject, in a loop of its own: what runner and pytest both call."""

import asyncio
import gc
import inspect
import re
import sys
import threading
import traceback
import warnings
from contextlib import AsyncExitStack, contextmanager
from types import CoroutineType

from channels.consumer import SyncConsumer
from channels.layers import InMemoryChannelLayer

from lessons.core.diagnoses import recognise
from lessons.judge.fixtures import FIXTURES
from lessons.judge.verdict import Outcome
from lessons.simulator.channel_layer import fresh_layers
from lessons.simulator.check_context import CheckContext
from lessons.simulator.finding import (
    CheckFailed,
    Finding,
    Place,
    SubjectSource,
    make_finding,
    place_of_error,
)
from lessons.simulator.loop import SimulatedLoop
from lessons.wire.layer import RecordingLayer

THREAD_PATIENCE = 1.0  # seconds for a thread to end; only one that is left behind takes them all
_NEVER_AWAITED = re.compile(r"coroutine '(?P<name>[^']+)' was never awaited")


def find_checks(module) -> list:
    """The check functions of a check.py, in the order in which they stand there.

    Raises LookupError for one that asks for a fixture that there is not.
    """
    checks = [
        item
        for name, item in vars(module).items()
        if name.startswith("test_") and inspect.iscoroutinefunction(item)
    ]
    for check in checks:
        for name in inspect.signature(check).parameters:
            if name not in FIXTURES:
                raise LookupError(f"{check.__name__} asks for {name}; there is {list(FIXTURES)}")
    return checks


def claim_of(check) -> str:
    """The line that a student sees ticked or crossed."""
    return " ".join((check.__doc__ or check.__name__).split())


def run_check(check, context: CheckContext) -> Outcome:
    """Run `check` with the fixtures that it names and say what came of it."""
    threads = set(threading.enumerate())
    with warnings.catch_warnings(record=True) as caught, _origins_of_coroutines():
        warnings.simplefilter("always")
        red = _run(check, context) or _thread_left_behind(context, threads)
        gc.collect()
    # A forgotten await is the cause of whatever went wrong after it, so it goes first; but for a
    # handler that is no coroutine function, where it could not be written.
    if red is None or red.finding.diagnosis != "def-handler-in-async-consumer":
        red = _never_awaited(context, caught) or (red and _kept_coroutine(context)) or red
    claim = claim_of(check)
    if red is None:
        return Outcome(check.__name__, claim, "green", transcript=context.transcript)
    # Where a worker is at work, the cause may be in its lane, or in another client's.
    own = () if context.workers else red.transcript
    return Outcome(check.__name__, claim, "red", red.finding, own or context.transcript)


def _run(check, context: CheckContext) -> CheckFailed | None:
    try:
        with fresh_layers(), asyncio.Runner(loop_factory=SimulatedLoop) as runner:
            runner.run(_with_fixtures(check, context))
    except CheckFailed as red:
        return red
    except (SystemExit, KeyboardInterrupt) as error:
        return context.failure("calls-exit", error, f"{type(error).__name__}: {error}")
    except Exception as error:
        if place_of_error(context.source.file, error):  # the check called on Django, Django on it
            return context.failure(recognise(error), error, f"{type(error).__name__}: {error}")
        return CheckFailed(_unnamed(check, error), context.transcript)
    return None


async def _with_fixtures(check, context: CheckContext) -> None:
    async with AsyncExitStack() as stack:
        arguments = {
            name: await stack.enter_async_context(FIXTURES[name](context))
            for name in inspect.signature(check).parameters
        }
        await check(**arguments)
    await asyncio.get_running_loop().wait_until_idle()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        raise _task_left_behind(task, context)


def _unnamed(check, error: Exception) -> Finding:
    """A plain assertion of the check: its own line is all that there is to show."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == check.__code__.co_filename]
    line = f"{own[-1].line}\n" if own else ""
    text = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    name = "claim-not-met" if isinstance(error, AssertionError) else "exception"
    return make_finding(name, detail=f"{line}{text}".strip())


def _task_left_behind(task: asyncio.Task, context: CheckContext) -> CheckFailed:
    return CheckFailed(
        make_finding("task-left-behind", context.source.place_of_task(task)), context.transcript
    )


def _thread_left_behind(context: CheckContext, before: set[threading.Thread]) -> CheckFailed | None:
    for thread in set(threading.enumerate()) - before:
        # asgiref's and asyncio's pools keep their workers for the next job.
        if thread.name.startswith(("ThreadPoolExecutor", "asyncio_")):
            continue
        thread.join(THREAD_PATIENCE)  # a ThreadSensitiveContext's last thread may be on its way out
        if thread.is_alive():
            return CheckFailed(
                make_finding("thread-left-behind", detail=f"Thread {thread.name}"),
                context.transcript,
            )
    return None


@contextmanager
def _origins_of_coroutines():
    """Let coroutines remember where they were made; who forgot the await shows only there."""
    before = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(10)
    try:
        yield
    finally:
        sys.set_coroutine_origin_tracking_depth(before)


def _never_awaited(context: CheckContext, caught) -> CheckFailed | None:
    for warning in caught:
        found = _NEVER_AWAITED.search(str(warning.message))
        if not found:
            continue
        name = found["name"].rpartition(".")[2]
        source: SubjectSource = context.source
        handler = getattr(source.subject, name, None)
        is_own = handler is not None and handler.__qualname__ == found["name"]
        if is_own and issubclass(source.subject, SyncConsumer):
            place = source.place_of_handler(name)
            return CheckFailed(
                make_finding("async-handler-in-sync-consumer", place), context.transcript
            )
        return _dropped(context, found["name"], _origin_of(warning, source.file))
    return None


def _dropped(context: CheckContext, name: str, place: Place) -> CheckFailed:
    """CheckFailed for the coroutine of that name: made in `place`, and awaited by nobody."""
    owner, _, method = name.rpartition(".")
    of_layer = owner == RecordingLayer.__name__
    # Where the student's project has the recorder's name, theirs has the layer's own.
    name = f"{InMemoryChannelLayer.__name__}.{method}" if of_layer else name
    in_sync_code = isinstance(context.subject, type) and issubclass(context.subject, SyncConsumer)
    diagnosis = "layer-not-called" if of_layer and in_sync_code else "never-awaited"
    detail = f"coroutine '{name}' was never awaited"
    return CheckFailed(make_finding(diagnosis, place, detail=detail), context.transcript)


def _kept_coroutine(context: CheckContext) -> CheckFailed | None:
    """CheckFailed for a coroutine that was never started, and which Python has not dropped so far.

    Closed, it is not told of again once that comes.
    """
    red = None
    for item in gc.get_objects():
        if type(item) is CoroutineType and inspect.getcoroutinestate(item) == inspect.CORO_CREATED:
            place = _innermost_of(item.cr_origin or (), context.source.file)
            # One that sync code made knows no origin; of the layer's, no other is left unstarted.
            if place.line or item.__qualname__.startswith(f"{RecordingLayer.__name__}."):
                red = red or _dropped(context, item.__qualname__, place)
                item.close()
    return red


def _origin_of(warning, file: str) -> Place:
    """The innermost line of `file` that made the coroutine which `warning` is about."""
    # A thread's coroutines have no origin; the warning names the line that dropped them.
    dropped_at = (warning.filename, warning.lineno, "")
    return _innermost_of((*(getattr(warning.source, "cr_origin", None) or ()), dropped_at), file)


def _innermost_of(origin, file: str) -> Place:
    for name, line, function in origin:
        if name == file:
            return Place(file, line, function)
    return Place(file)
