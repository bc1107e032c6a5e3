"""`try NAME`: runs the tests that a student wrote on a consumer, as pytest would."""

import asyncio
import inspect
import linecache
from collections.abc import Callable
from types import SimpleNamespace
from unittest import mock

from django.apps import apps
from django.db import connection, transaction

from lessons.workshop.engine.faults.finding import Place, SourceFile
from lessons.workshop.engine.recording.events import error_text
from lessons.workshop.engine.recording.middleware import RecordingMiddleware
from lessons.workshop.engine.recording.recorder import Recorder
from lessons.workshop.engine.script.action import NAME, Action
from lessons.workshop.engine.world.leftovers import forgotten_coroutines

_TRIED = "consumer_under_test"  # the module of the consumer


class Try(Action, usage="try NAME", name=NAME):
    """The student's tests run on the consumer of that name, one of `options.consumers`.

    The answer says whether all passed, and if not, which test failed, with which error at which
    line. `ran` has the names of the tests so far, and `events` counts the recorded events;
    `forgotten` names a coroutine that was never awaited. A source with an `application` is tested
    whole, any other one is a consumer.
    """

    async def act(self, player, name):
        file, forgotten = inspect.getfile(player.subject), []
        with forgotten_coroutines(lambda *coroutine: forgotten.append(coroutine)):
            answer = {"passed": False, "test": "", "error": "", "line": 0, "code": "", "events": 0}
            answer |= {"forgotten": "", "ran": []}
            for title, test in tests_of(player.subject):
                answer["ran"].append(title)
                if player.database:
                    await player.write(_empty_used_tables)
                error, events = await _run(test, _load_consumer(player.options.consumers[name]))
                place = _place_of(test, error)
                text = "" if error is None else error_text(error).removesuffix(": ")
                code = linecache.getline(place.file, place.line).strip()
                answer |= {"test": title, "error": text, "line": place.line, "code": code}
                answer["events"] += events
                # pytest does not fail either after a skip.
                answer["passed"] = not text or text.startswith("Skipped")
                del error  # frees coroutines that were never awaited
                if not answer["passed"]:
                    break
        if answer["passed"] and inspect.isclass(player.subject):
            answer["line"] = 0  # each test of the suite could have noticed the fault
        if forgotten:
            coroutine, origin = forgotten[0]
            own = ({"line": line} for path, line, _ in origin if path == file)
            answer |= {"forgotten": f"coroutine '{coroutine}' was never awaited", **next(own, {})}
        return answer


def tests_of(subject) -> list[tuple[str, Callable]]:
    """The tests by name, in the order of the file: a function, or the test methods of a class.

    As in pytest, each method runs on a new object, and a base class may have some of them.
    """
    if not inspect.isclass(subject):
        return [(subject.__name__, subject)]
    names = dict.fromkeys(name for base in reversed(subject.__mro__) for name in vars(base))
    tests = {name: getattr(subject(), name) for name in names if name.startswith("test")}
    return [(name, test) for name, test in tests.items() if callable(test)]


def _load_consumer(source: str):
    """The application of that source, or the application of its first class.

    Each run needs a new application, because a test may change attributes of a consumer's class.
    """
    namespace = {"__name__": _TRIED}
    exec(compile(source, _TRIED, "exec"), namespace)
    if "application" in namespace:
        return namespace["application"]
    own = next(it for it in namespace.values() if getattr(it, "__module__", "") == _TRIED)
    return own.as_asgi()


def _empty_used_tables() -> None:
    """Each test begins without rows, as in pytest. An earlier test has used some ids."""
    with transaction.atomic(), connection.cursor() as cursor:
        for model in apps.get_models():
            cursor.execute(f'DELETE FROM "{model._meta.db_table}"')
        cursor.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM sqlite_master "
            "WHERE type = 'table' AND name NOT IN (SELECT name FROM sqlite_sequence)"
        )
        cursor.execute("UPDATE sqlite_sequence SET seq = seq + 1")


async def _run(test, application) -> tuple[BaseException | None, int]:
    """Run `test(application)`, then cancel the tasks that it left behind.

    Returns the exception of the test, None if it passed, and the number of recorded events.
    """
    recorder = Recorder()
    application = _cancelled_when_idle(RecordingMiddleware(application, recorder))
    loop, others = asyncio.get_running_loop(), asyncio.all_tasks()
    # Channels' receive_nothing() reads the machine's clock. The simulated clock is the loop's.
    with mock.patch("asgiref.testing.time", SimpleNamespace(monotonic=loop.time)):
        error = await asyncio.create_task(_error_of(test, application))
        await loop.wait_until_idle()
        left = asyncio.all_tasks() - others
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
    return error, len(recorder.events)


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


def _place_of(test, error: BaseException | None) -> Place:
    """The line of the error, or the first line of the test."""
    code = getattr(inspect.unwrap(test), "__code__", None)
    first = Place(code.co_filename, code.co_firstlineno, code.co_qualname) if code else Place()
    return (error and SourceFile(first.file).place_of_error(error)) or first


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
