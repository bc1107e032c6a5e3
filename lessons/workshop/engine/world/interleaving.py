"""Runs another writer at every point at which it could interfere with a consumer.

A race condition may show in one of a thousand runs. So a verdict must not rely on chance. A
consumer can be interrupted at few points only: before and after each of its queries and of its
calls of the channel layer or the cache and, in a playback, after each message that it sends and at
each `await asyncio.sleep(0)`, which lets other tasks run. The same conversation is played once for
each point, and at that point another writer acts while the consumer is held:

    with interleaving.at(0, publish):    # publish() runs before the first query
    with interleaving.at(1, publish):    # after the first query, and so on
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import ExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar, copy_context
from functools import partial, wraps
from threading import get_ident
from unittest import mock

from django.core.cache.backends.locmem import LocMemCache
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper

from lessons.workshop.engine.recording.recorder import current_connection
from lessons.workshop.engine.world import cache, server, threads
from lessons.workshop.engine.world.channel_layer import current_layers, is_part_of_group_send
from lessons.workshop.engine.world.database import LOCK_TIMEOUT

LAYER_CALLS = ("send", "group_add", "group_discard", "group_send")

# Whether code that belongs to no connection has points, too: a call of a function by a job.
interruptible: ContextVar[bool] = ContextVar("interruptible", default=False)


def _has_points() -> bool:
    return current_connection.get() is not None or interruptible.get()


class Interleaving:
    """Counts the points that the consumer passes, and holds the consumer at the chosen point."""

    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._loop_thread = get_ident()
        self._context = copy_context()  # without a connection: the action is not the consumer's
        self._act: Callable[[], Awaitable] | None = None
        self._points_to_pass = 0
        self.passed = 0  # points that were passed since it was set to 0

    @contextmanager
    def at(self, number: int, act: Callable[[], Awaitable]):
        """Within it, `act()` is awaited at the point of that number, if the consumer reaches it.

        While the consumer has locked the database, `act()` cannot write. Then it acts at the next
        point.
        """
        self._act, self._points_to_pass = act, number
        try:
            yield
        finally:
            self._act = None

    @property
    def is_waiting(self) -> bool:
        """Whether the action has not begun yet: the consumer has passed too few points."""
        return self._act is not None

    def _action_at_this_point(self) -> Callable[[], Awaitable] | None:
        if not _has_points():
            return None
        self.passed += 1
        if self._act is None:
            return None
        self._points_to_pass -= 1
        if self._points_to_pass >= 0:
            return None
        act, self._act = self._act, None
        return act

    async def _run(self, act, thread: int | None = None) -> None:
        """Await `act()` and all its effects, while the consumer and its clients are held."""
        held = {thread} - {None}
        with self._loop.idle_waiters_paused():
            self._loop.held_threads |= held
            try:
                await act()
                await self._loop.wait_until_idle()
            except OperationalError:  # the database is locked
                self._act = act
            finally:
                self._loop.held_threads -= held

    async def point_in_loop(self) -> None:
        """A coroutine of the consumer has reached a point. In another event loop, none counts."""
        if asyncio.get_running_loop() is not self._loop:
            return
        if act := self._action_at_this_point():
            task = self._loop.create_task(self._run(act), context=self._context)
            own = asyncio.current_task()
            self._loop.held_tasks.add(own)
            try:
                await asyncio.shield(task)  # the action may be that the server cancels the consumer
            finally:
                self._loop.held_tasks.discard(own)

    def point_in_thread(self) -> None:
        """A thread of the consumer has reached a point. While the loop is blocked, none counts."""
        if get_ident() == self._loop_thread or self._loop.thread_scheduler.loop_waits:
            return
        if not (act := self._action_at_this_point()):
            return
        done, thread = Future(), get_ident()
        self._loop.thread_scheduler.held = done

        def begin():
            task = self._loop.create_task(self._run(act, thread), context=self._context)
            task.add_done_callback(lambda task: done.done() or done.set_result(task.exception()))

        self._loop.call_soon_threadsafe(begin)
        error = done.result()
        threads.note_work()  # if the loop has waited for this thread, it has waited for the query
        if error:
            raise error

    def query(self, call, cursor, *args, **kwargs):
        """Call `call`, a method of `cursor`. The held thread may have locked the database.

        Then this thread would wait for ever, and in life the other thread goes on. So it goes on.
        """
        held = self._loop.thread_scheduler.held
        has_points = _has_points() and get_ident() != self._loop_thread
        if held is None or held.done() or not has_points:
            return call(cursor, *args, **kwargs)
        raw = cursor.db.connection
        raw.execute("PRAGMA busy_timeout = 0")
        try:
            return call(cursor, *args, **kwargs)
        except OperationalError as error:
            if "locked" not in str(error):
                raise
        finally:
            raw.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT * 1000}")
        if not held.done():
            held.set_result(None)
        return call(cursor, *args, **kwargs)


@asynccontextmanager
async def interleaving(at_sends=False):
    """Within it, a consumer can be held. `at_sends` adds the points after messages and sleep(0)."""
    it = Interleaving()

    def with_points_in_thread(call):
        @wraps(call)
        def called(*args, **kwargs):
            threads.note_work()
            it.point_in_thread()
            result = call(*args, **kwargs)
            it.point_in_thread()
            return result

        return called

    def with_points(call):
        async def called(*args):
            if is_part_of_group_send(*args):
                await call(*args)
                return
            await it.point_in_loop()
            await call(*args)
            await it.point_in_loop()

        return called

    async def pause():
        await it.point_in_loop()
        token = pausing.set(True)
        try:
            await usual_pause()
        finally:
            pausing.reset(token)

    async def sleep_0():
        if not pausing.get():
            await it.point_in_loop()
        await usual_sleep_0()

    pausing = ContextVar("pausing", default=False)  # the fake server suspends, not the consumer
    usual_sleep_0 = getattr(asyncio.tasks, "__sleep0")  # what sleep() calls for 0 s
    usual_pause = server.pause  # after each message that a consumer sends
    with ExitStack() as stack:
        if at_sends:
            stack.enter_context(mock.patch.object(server, "pause", pause))
            stack.enter_context(mock.patch.object(asyncio.tasks, "__sleep0", sleep_0))
        query = with_points_in_thread(partial(it.query, CursorWrapper._execute))
        stack.enter_context(mock.patch.object(CursorWrapper, "_execute", query))
        for owner, name in ((LocMemCache, name) for name in cache.CALLS):
            replaced = with_points_in_thread(getattr(owner, name))
            stack.enter_context(mock.patch.object(owner, name, replaced))
        for layer in current_layers().values():
            for name in LAYER_CALLS:
                replaced = with_points(getattr(layer, name))
                stack.enter_context(mock.patch.object(layer, name, replaced))
        yield it
