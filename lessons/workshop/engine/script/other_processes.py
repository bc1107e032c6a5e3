"""Other processes, played in this one: a second server, and processes that call a function.

Each imports the student's file again. Like another process, it shares the channel layers, the
database and the cache with the first, and nothing else: no module, no class and no thread.
"""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import OperationalError

from ..faults.finding import CheckFailed, Place, make_finding
from ..subject import Subject
from ..world import STUDENT_PACKAGE, process, process_numbers
from ..world.channel_layer import check_layers, current_layer
from ..world.interleaving import interruptible
from ..world.signal_receivers import receivers_unchanged
from ..world.student_module import application_for, reload_subject
from .report import CallMade

END_TIMEOUT = 60  # seconds of the simulated clock for the calls that run at the end


def application_of_server(server: int, loaded, subject: Subject, stack: ExitStack):
    """What the server process of that number serves, until the stack is closed."""
    if server == 1:  # this one
        return application_for(loaded, subject)
    own_thread = ThreadPoolExecutor(1, thread_name_prefix="ThreadPoolExecutor-server")
    stack.enter_context(own_thread)
    context, number = copy_context(), next(process_numbers)
    context.run(process.set, number)
    with receivers_unchanged():  # what changes a row is played as the first process
        served = application_for(context.run(reload_subject, loaded), subject)

    async def application(scope, receive, send):
        process.set(number)
        # The usual thread for sync code belongs to the first process.
        async with ThreadSensitiveContext(executor=own_thread):
            await served(scope, receive, send)

    application.consumer_class = getattr(served, "consumer_class", served)
    application.outermost = getattr(served, "outermost", served)
    return application


@dataclass
class StartedCall:
    """A call that was begun. The answer of its step is known at the end of the burst."""

    text: str
    begun: float
    task: asyncio.Task
    ended: float | None = None
    is_reported: bool = False  # a burst's report has its end

    @property
    def error(self) -> BaseException | None:
        return self.task.exception() if self.task.done() and not self.task.cancelled() else None

    def answer(self) -> dict:
        """The answer of the step: what the call has returned or raised, or that it runs."""
        if not self.task.done():
            return {"running": True}
        if self.error:
            return {"raised": str(self.error)}
        value = self.task.result()
        is_plain = value is None or isinstance(value, bool | int | float | str)
        return {"returned": value if is_plain else repr(value)}

    def made(self) -> CallMade:
        answer = self.answer()
        returned = repr(answer["returned"]) if "returned" in answer else ""
        return CallMade(self.text, self.begun, self.ended, returned)


class OutsideCalls:
    """The calls of one conversation: the steps `call report [1, 40]`.

    Each is made by another process, in its own thread, as by the sync code of a job. It may sleep:
    then the conversation goes on beside it. A process that has ended a call makes the next one.
    """

    def __init__(self, subject):
        self._subject = subject
        self._calls: list[StartedCall] = []
        self._idle: list = []  # the subject as each process without a call has imported it

    def _import_again(self):
        """The subject, as another process imports it."""
        if not self._subject.__module__.startswith(f"{STUDENT_PACKAGE}."):
            return self._subject
        with receivers_unchanged(), check_layers():
            return reload_subject(self._subject)

    async def start(self, player, name: str, arguments: list) -> StartedCall:
        """Begin the call. A call at a point (`at 2`) that finds the database locked did nothing.

        Raises CheckFailed without such a function, and OperationalError for the locked database.
        """
        imported = self._idle.pop() if self._idle else self._import_again()
        run = partial(_function_of(imported, name), *arguments)
        if player.database:
            waits = not player.is_at_point
            work = player.database.do_in_other_process(run, waits_for_lock=waits)
        else:
            work = sync_to_async(run, thread_sensitive=False)()
        context = copy_context()
        context.run(interruptible.set, not player.is_at_point)
        loop = asyncio.get_running_loop()
        task = loop.create_task(work, context=context)
        call = StartedCall(f"{name}{tuple(arguments)!r}", player.time, task)
        task.add_done_callback(lambda task: setattr(call, "ended", player.time))
        task.add_done_callback(lambda task: self._idle.append(imported))
        if player.is_at_point:
            await loop.wait_until_idle()
            if isinstance(call.error, OperationalError):
                raise OperationalError("database is locked")
        self._calls.append(call)
        return call

    def take_news(self) -> list[StartedCall]:
        """The calls that run now, or have ended since this method was called last."""
        found = [call for call in self._calls if not call.is_reported]
        for call in found:
            call.is_reported = call.task.done()
        return found

    async def end(self) -> None:
        """Wait for the calls that still run. Redis is back, so they need not try again for ever."""
        if running := [call.task for call in self._calls if not call.task.done()]:
            current_layer().redis.start()
            await asyncio.wait(running, timeout=END_TIMEOUT)


def _function_of(subject, name: str) -> Callable:
    """The function of that name in the subject's class or file. Raises CheckFailed without one."""
    module = sys.modules[subject.__module__]
    function = getattr(subject, name, getattr(module, name, None))
    if not callable(function):
        place = Place(getattr(module, "__file__", ""))
        raise CheckFailed(make_finding("name-missing", place, detail=f"Looked for {name}."))
    return function
