"""Runs tests that a student wrote on a consumer, as pytest would."""

import asyncio
import inspect
import linecache
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from unittest import mock

from lessons.workshop.engine.faults.finding import CheckFailed, Place, make_finding, place_of_error
from lessons.workshop.engine.recording.events import Event, error_text
from lessons.workshop.engine.recording.middleware import RecordingMiddleware
from lessons.workshop.engine.recording.recorder import Recorder


@dataclass(frozen=True)
class StudentTestRun:
    """One run of `test`: its exception (None if the test passed) and the recorded events."""

    test: Callable
    error: BaseException | None
    transcript: tuple[Event, ...]

    def failure(self, name: str, detail: str = "") -> CheckFailed:
        """The failure with diagnosis `name`, at the line of the error or at the first line."""
        place = self._first_line()
        if self.error is not None:
            place = place_of_error(place.file, self.error) or place
            line = linecache.getline(place.file, place.line).strip()
            error = error_text(self.error).removesuffix(": ")
            detail = f"{line}\n{error}\n{detail}".strip()
        return CheckFailed(make_finding(name, place, detail=detail), self.transcript)

    @property
    def place(self) -> Place:
        """The line of the error, or the first line of the test."""
        first = self._first_line()
        return (self.error and place_of_error(first.file, self.error)) or first

    def _first_line(self) -> Place:
        code = getattr(inspect.unwrap(self.test), "__code__", None)
        return Place(code.co_filename, code.co_firstlineno, code.co_qualname) if code else Place()


def tests_of(subject) -> list[tuple[str, Callable]]:
    """The tests by name, in the order of the file: a function, or the test methods of a class.

    As in pytest, each method runs on a new object, and a base class may have some of them.
    """
    if not inspect.isclass(subject):
        return [(subject.__name__, subject)]
    names = dict.fromkeys(name for base in reversed(subject.__mro__) for name in vars(base))
    tests = {name: getattr(subject(), name) for name in names if name.startswith("test")}
    return [(name, test) for name, test in tests.items() if callable(test)]


async def run_student_test(test, application) -> StudentTestRun:
    """Run `test(application)`, then cancel the tasks that it left behind.

    Each run needs a new application, because a test may change attributes of a consumer's class.
    """
    recorder = Recorder()
    application = _cancelled_when_idle(RecordingMiddleware(application, recorder))
    # Channels' receive_nothing() reads the machine's clock. The simulated clock is the loop's.
    clock = SimpleNamespace(monotonic=asyncio.get_running_loop().time)
    others = asyncio.all_tasks()
    with mock.patch("asgiref.testing.time", clock):
        error = await asyncio.create_task(_error_of(test, application))
        await asyncio.get_running_loop().wait_until_idle()
        left = asyncio.all_tasks() - others
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
    return StudentTestRun(test, error, tuple(recorder.events))


async def _error_of(test, application) -> BaseException | None:
    try:
        result = test(application)
        if inspect.isawaitable(result):
            await result
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        # Including CancelledError: Channels' communicator raises it after a timeout.
        return error
    return None


def _cancelled_when_idle(application):
    """Wrap the application: a cancellation waits until no handler is running.

    A communicator that is garbage-collected cancels its consumer at once. If a handler is running
    in the thread of sync handlers then, that thread hangs, and so does every later sync consumer.
    """

    async def wrapped(scope, receive, send):
        running = asyncio.create_task(application(scope, receive, send))
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            await asyncio.get_running_loop().wait_until_idle()
            running.cancel()
            await asyncio.wait([running])
            raise
        return running.result()

    return wrapped
