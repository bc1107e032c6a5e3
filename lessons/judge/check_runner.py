"""Runs one check on one subject: the class or function that a student wrote.

The idea: a check is an async function whose parameters name fixtures, as in pytest.

    async def test_repeats_text(communicator):
        'repeats text'
        client = communicator()
        await client.connect()
        await client.send_to(text_data="on")
        client.expect({"type": "websocket.send", "text": "on"})

`run_check` gives it a new SimulatedLoop, opens the fixtures, awaits the check, and returns
an Outcome. A check fails if it raises. It also fails if something is left over that would
harm a server: a task, a thread, or a coroutine that was never awaited. Python reports a forgotten
`await` only when it destroys the coroutine, so `run_check` collects garbage and reads the
warnings, and searches for coroutines that are still referenced.
"""

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
from lessons.simulator.threads import is_pool_thread
from lessons.wire.layer import RecordingLayer

THREAD_TIMEOUT = 1.0  # seconds for a thread to end; only a thread that hangs takes so long
_NEVER_AWAITED = re.compile(r"coroutine '(?P<name>[^']+)' was never awaited")


def find_checks(module) -> list:
    """The check functions of a check.py, in the order of the file.

    Raises LookupError if one asks for a fixture that does not exist.
    """
    checks = [
        item
        for name, item in vars(module).items()
        if name.startswith("test_") and inspect.iscoroutinefunction(item)
    ]
    for check in checks:
        for name in inspect.signature(check).parameters:
            if name not in FIXTURES:
                raise LookupError(f"{check.__name__} asks for {name}; use one of {list(FIXTURES)}")
    return checks


def claim_of(check) -> str:
    """The line that a student sees with a tick or a cross."""
    return " ".join((check.__doc__ or check.__name__).split())


def run_check(check, context: CheckContext) -> Outcome:
    """Run `check` with the fixtures that it names."""
    threads = set(threading.enumerate())
    with warnings.catch_warnings(record=True) as caught, _coroutine_origins():
        warnings.simplefilter("always")
        failure = _run(check, context) or _find_left_thread(context, threads)
        gc.collect()
    # A forgotten await causes other failures, so it is reported first. The exception is a handler
    # that is not a coroutine function: an await cannot be written there.
    if failure is None or failure.finding.diagnosis != "def-handler-in-async-consumer":
        failure = (
            _find_warning(context, caught)
            or (failure and _find_unstarted_coroutine(context))
            or failure
        )
    claim = claim_of(check)
    if failure is None:
        return Outcome(check.__name__, claim, "green", transcript=context.transcript)
    # With a worker, the cause may be in the worker's events or in those of another client.
    transcript = () if context.workers else failure.transcript
    transcript = transcript or context.transcript
    return Outcome(check.__name__, claim, "red", failure.finding, transcript)


def _run(check, context: CheckContext) -> CheckFailed | None:
    try:
        with fresh_layers(), asyncio.Runner(loop_factory=SimulatedLoop) as runner:
            runner.run(_with_fixtures(check, context))
    except CheckFailed as failure:
        return failure
    except (SystemExit, KeyboardInterrupt) as error:
        return context.failure("calls-exit", error, f"{type(error).__name__}: {error}")
    except Exception as error:
        # The check may call Django, and Django the student's code.
        if place_of_error(context.source.file, error):
            return context.failure(recognise(error), error, f"{type(error).__name__}: {error}")
        return CheckFailed(_finding_of_assertion(check, error), context.transcript)
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
        finding = make_finding("task-left-behind", context.source.place_of_task(task))
        raise CheckFailed(finding, context.transcript)


def _finding_of_assertion(check, error: Exception) -> Finding:
    """The finding for an error in the check itself: it can only show the check's line."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == check.__code__.co_filename]
    line = f"{own[-1].line}\n" if own else ""
    text = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    name = "claim-not-met" if isinstance(error, AssertionError) else "exception"
    return make_finding(name, detail=f"{line}{text}".strip())


def _find_left_thread(context: CheckContext, before: set[threading.Thread]) -> CheckFailed | None:
    for thread in set(threading.enumerate()) - before:
        if is_pool_thread(thread):
            continue
        thread.join(THREAD_TIMEOUT)  # the last thread of a ThreadSensitiveContext may be ending
        if thread.is_alive():
            finding = make_finding("thread-left-behind", detail=f"Thread {thread.name}")
            return CheckFailed(finding, context.transcript)
    return None


@contextmanager
def _coroutine_origins():
    """Let each coroutine remember the lines that created it: one of them forgot the await."""
    before = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(10)
    try:
        yield
    finally:
        sys.set_coroutine_origin_tracking_depth(before)


def _find_warning(context: CheckContext, caught) -> CheckFailed | None:
    """The failure for the first warning about a coroutine that was never awaited."""
    for warning in caught:
        found = _NEVER_AWAITED.search(str(warning.message))
        if not found:
            continue
        name = found["name"].rpartition(".")[2]
        source: SubjectSource = context.source
        handler = getattr(source.subject, name, None)
        is_handler = handler is not None and handler.__qualname__ == found["name"]
        if is_handler and issubclass(source.subject, SyncConsumer):
            finding = make_finding("async-handler-in-sync-consumer", source.place_of_handler(name))
            return CheckFailed(finding, context.transcript)
        return _never_awaited(context, found["name"], _origin_of(warning, source.file))
    return None


def _find_unstarted_coroutine(context: CheckContext) -> CheckFailed | None:
    """The failure for a coroutine that was never started and is still referenced.

    The coroutine is closed, so Python does not warn about it later.
    """
    failure = None
    for item in gc.get_objects():
        if type(item) is CoroutineType and inspect.getcoroutinestate(item) == inspect.CORO_CREATED:
            place = _innermost_place(item.cr_origin or (), context.source.file)
            # A coroutine that sync code created has no origin. Then only one of the layer counts.
            if place.line or item.__qualname__.startswith(f"{RecordingLayer.__name__}."):
                failure = failure or _never_awaited(context, item.__qualname__, place)
                item.close()
    return failure


def _never_awaited(context: CheckContext, name: str, place: Place) -> CheckFailed:
    """The failure for the coroutine `name`, which was created at `place`."""
    owner, _, method = name.rpartition(".")
    is_layer = owner == RecordingLayer.__name__
    # In the student's project this is a method of the channel layer, not of the recorder.
    name = f"{InMemoryChannelLayer.__name__}.{method}" if is_layer else name
    in_sync_code = isinstance(context.subject, type) and issubclass(context.subject, SyncConsumer)
    diagnosis = "layer-not-called" if is_layer and in_sync_code else "never-awaited"
    detail = f"coroutine '{name}' was never awaited"
    return CheckFailed(make_finding(diagnosis, place, detail=detail), context.transcript)


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
