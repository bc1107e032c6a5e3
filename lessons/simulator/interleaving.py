"""Lets others act at each moment at which they can: between any two steps of a consumer.

A race is lost once in a thousand runs, and never by luck where a test looks. Here the consumer is
held at one moment after the other, before and after each of its queries and of its calls that go
to a group, while another writer does what it does. No moment is left out, so none is left to luck.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, asynccontextmanager, contextmanager
from contextvars import copy_context
from threading import get_ident
from unittest import mock

from django.db import OperationalError
from django.db.backends.utils import CursorWrapper

from lessons.simulator.channel_layer import current_layer
from lessons.wire.recorder import current_connection

CALLS = ("group_add", "group_discard", "group_send")


class Interleaving:
    """Waits for the moment that is due, and holds the consumer there."""

    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()  # of no consumer: who acts is another
        self._act: Callable[[], Awaitable] | None = None
        self._to_pass = 0

    def each_point(self, act: Callable[[], Awaitable]) -> Iterator[int]:
        """Once for each moment: in the loop's body, it is the one at which `act()` is awaited."""
        for number in itertools.count():
            with self.at(number, act):
                yield number
            if self._to_pass >= 0:  # there are no more moments than that
                return

    @contextmanager
    def at(self, number: int, act: Callable[[], Awaitable]):
        """Within it, `act()` is awaited at the moment of that number, if it comes to it.

        Where the consumer holds the database's lock, others cannot write, and act at the next.
        """
        self._act, self._to_pass = act, number
        try:
            yield
        finally:
            self._act = None

    def _due(self) -> Callable[[], Awaitable] | None:
        """What is to be done at this moment, if it is the one."""
        if self._act is None or current_connection.get() is None:
            return None
        self._to_pass -= 1
        if self._to_pass >= 0:
            return None
        act, self._act = self._act, None
        return act

    async def _carry_out(self, act, thread: int | None = None) -> None:
        """Await `act()`, and all that it sets off, with the consumer held; nobody else is told."""
        held = {thread} - {None}
        with self._loop.idle_waiters_paused():
            self._loop.held_threads |= held
            try:
                await act()
                await self._loop.wait_until_idle()
            except OperationalError:
                self._act = act
            finally:
                self._loop.held_threads -= held

    async def in_loop(self) -> None:
        """A moment of a coroutine."""
        if act := self._due():
            await self._loop.create_task(self._carry_out(act), context=self._context)

    def in_thread(self) -> None:
        """A moment of a thread."""
        if not (act := self._due()):
            return
        done, thread = Future(), get_ident()

        def begin():
            task = self._loop.create_task(self._carry_out(act, thread), context=self._context)
            task.add_done_callback(lambda task: done.set_result(task.exception()))

        self._loop.call_soon_threadsafe(begin)
        if error := done.result():
            raise error


@asynccontextmanager
async def interleaving(context):
    """`for _ in interleaving.each_point(act)`: in each round, others act at one moment later."""
    it, layer, execute = Interleaving(), current_layer(), CursorWrapper._execute

    def query(*args):
        it.in_thread()
        result = execute(*args)
        it.in_thread()
        return result

    def with_moments(call):
        async def called(*args):
            await it.in_loop()
            await call(*args)
            await it.in_loop()

        return called

    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(CursorWrapper, "_execute", query))
        for name in CALLS:
            replaced = with_moments(getattr(layer, name))
            stack.enter_context(mock.patch.object(layer, name, replaced))
        yield it
