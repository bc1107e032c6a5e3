"""Tries a student's test on a consumer, as pytest would, and says what came of it."""

import asyncio
import inspect
import linecache
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from unittest import mock

from lessons.simulator.finding import CheckFailed, Place, make_finding, place_of_error
from lessons.wire.events import Event
from lessons.wire.middleware import RecordingMiddleware
from lessons.wire.recorder import Recorder


@dataclass(frozen=True)
class Trial:
    """One run of `test`: what it raised (None: it is green) and what crossed meanwhile."""

    test: Callable
    error: BaseException | None
    transcript: tuple[Event, ...]

    def failure(self, name: str, detail: str = "") -> CheckFailed:
        """The failure with diagnosis `name`, at the line of the error or at the first line."""
        place = self._first_line()
        if self.error is not None:
            place = place_of_error(place.file, self.error) or place
            line = linecache.getline(place.file, place.line).strip()
            said = f"{type(self.error).__name__}: {self.error}".removesuffix(": ")
            detail = f"{line}\n{said}\n{detail}".strip()
        return CheckFailed(make_finding(name, place, detail=detail), self.transcript)

    def _first_line(self) -> Place:
        code = getattr(inspect.unwrap(self.test), "__code__", None)
        return Place(code.co_filename, code.co_firstlineno, code.co_qualname) if code else Place()


async def try_test(test, consumer_class) -> Trial:
    """Run `test(application)` on that consumer; nothing that it started is left behind."""
    recorder = Recorder()
    # A new class for each trial: what one leaves on its class must not reach the next.
    fresh = type(consumer_class.__name__, (consumer_class,), {})
    application = _unhurried(RecordingMiddleware(fresh.as_asgi(), recorder))
    # The stock receive_nothing() looks at the machine's clock; here time is the loop's.
    clock = SimpleNamespace(monotonic=asyncio.get_running_loop().time)
    others = asyncio.all_tasks()
    with mock.patch("asgiref.testing.time", clock):
        error = await asyncio.create_task(_error_of(test, application))
        await asyncio.get_running_loop().wait_until_idle()
        left = asyncio.all_tasks() - others
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
    return Trial(test, error, tuple(recorder.events))


async def _error_of(test, application) -> BaseException | None:
    try:
        result = test(application)
        if inspect.isawaitable(result):
            await result
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        # CancelledError too: a stock communicator raises it once a time-out has ended its consumer.
        return error
    return None


def _unhurried(application):
    """The same application, which can be cancelled only while it waits for an event.

    A communicator that goes out of scope cancels its consumer at once. If a handler is at work in
    its thread then, that thread waits for ever, and with it every consumer that comes after.
    """

    async def served(scope, receive, send):
        running = asyncio.create_task(application(scope, receive, send))
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            await asyncio.get_running_loop().wait_until_idle()
            running.cancel()
            await asyncio.wait([running])
            raise
        return running.result()

    return served
