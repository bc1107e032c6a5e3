"""Runs another writer at every point at which it could interfere with a consumer.

A race condition may show in one of a thousand runs. So a verdict must not rely on chance. A
consumer can be interrupted at few points only: before and after each of its queries and of its
calls of the channel layer or the cache, after each message that it sends, and at each
`await asyncio.sleep(0)`, which lets other tasks run. The same conversation is played once for each
of these switch points, and there another writer acts while the consumer waits:

    with interleaving.at(0, publish):    # publish() runs before the first query
    with interleaving.at(1, publish):    # after the first query, and so on
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial, wraps

from django.db import OperationalError
from django.db.backends.utils import CursorWrapper

from ..recording.recorder import current_connection
from ..scheduling import threads
from ..scheduling.loop import suspend
from ..scheduling.patches import installed
from .database import LOCK_TIMEOUT

# Whether code that belongs to no connection is interrupted, too: a function that a job calls.
interruptible: ContextVar[bool] = ContextVar("interruptible", default=False)


def _is_interruptible() -> bool:
    return current_connection.get() is not None or interruptible.get()


class Interleaving:
    """Counts the switch points that the consumer passes, and lets it wait at the chosen one."""

    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()  # without a connection: the action is not the consumer's
        self._act: Callable[[], Awaitable] | None = None
        self._acting: asyncio.Task | None = None
        self._points_to_pass = 0
        self.passed = 0  # points that were passed since it was set to 0

    @contextmanager
    def at(self, number: int, act: Callable[[], Awaitable]):
        """Within it, `act()` is awaited at the point of that number, if the consumer reaches it.

        While the consumer has locked the database, `act()` cannot write. Then it acts at the next
        point.
        """
        self._act, self._acting, self._points_to_pass = act, None, number
        try:
            yield
        finally:
            self._act = None

    @property
    def is_waiting(self) -> bool:
        """Whether the action has not begun yet: the consumer has passed too few points."""
        return self._act is not None

    def _action_at_this_point(self) -> Callable[[], Awaitable] | None:
        if not _is_interruptible():
            return None
        self.passed += 1
        self._points_to_pass -= 1
        if self._act is None or self._points_to_pass >= 0:
            return None
        act, self._act = self._act, None
        return act

    def _start(self, act) -> asyncio.Task:
        self._acting = self._loop.create_task(self._run(act), context=self._context)
        return self._acting

    async def wait_for_action(self) -> None:
        """If the action has begun, wait until it is over: only a consumer's coroutine is parked."""
        if self._acting:
            await asyncio.wait([self._acting])

    async def _run(self, act) -> None:
        """Await `act()` and all its effects, while the consumer and its clients wait."""
        with self._loop.idle_waiters_paused():
            try:
                await act()
                await self._loop.wait_until_idle()
            except OperationalError:  # the database is locked
                self._act = act

    async def pass_in_loop(self) -> None:
        """A coroutine of the consumer has reached a switch point."""
        if act := self._action_at_this_point():
            task, own = self._start(act), asyncio.current_task()
            self._loop.parked_tasks.add(own)
            try:
                await asyncio.shield(task)  # the action may be that the server cancels the consumer
            finally:
                self._loop.parked_tasks.discard(own)

    def pass_in_thread(self) -> None:
        """A thread of the consumer has reached a switch point."""
        if not (act := self._action_at_this_point()):
            return
        self._loop.thread_scheduler.parked = done = Future()

        def begin():
            self._start(act).add_done_callback(
                lambda task: done.done() or done.set_result(task.exception())
            )

        self._loop.call_soon_threadsafe(begin)
        error = done.result()
        threads.note_work()  # if the loop has waited for this thread, it has waited for the query
        if error:
            raise error


@contextmanager
def interleaving():
    """Within it, a consumer passes switch points."""
    loop = asyncio.get_running_loop()
    loop.interleaving = Interleaving()
    try:
        with installed(PATCHES):
            yield loop.interleaving
    finally:
        loop.interleaving = None


# The switch points


async def switch_point() -> None:
    """The calling coroutine may be interrupted here. In another event loop it is not."""
    if it := getattr(asyncio.get_running_loop(), "interleaving", None):
        await it.pass_in_loop()


async def _sleep_0() -> None:
    await switch_point()
    await suspend()


def with_switch_points(call: Callable) -> Callable:
    """`call`, with a switch point before and after. While the loop waits for it, it has none."""

    @wraps(call)
    def called(*args, **kwargs):
        threads.note_work()
        switch_point_in_thread()
        result = call(*args, **kwargs)
        switch_point_in_thread()
        return result

    return called


def switch_point_in_thread() -> None:
    """The calling thread may be interrupted here, unless the loop waits for it."""
    thread = threads.this_thread()
    is_beside_loop = thread and not thread.is_loop_thread and not thread.scheduler.loop_waits
    if is_beside_loop and (it := thread.scheduler.loop.interleaving):
        it.pass_in_thread()


_usual_execute = CursorWrapper._execute


def _execute(cursor, *args, **kwargs):
    """Execute the query. The thread that is parked at a switch point may have locked the database.

    Then this thread would wait for ever, and in life the other thread goes on. So it goes on.
    """
    thread, execute = threads.this_thread(), partial(_usual_execute, cursor, *args, **kwargs)
    parked = thread and thread.scheduler.parked
    if not parked or parked.done() or thread.is_loop_thread or not _is_interruptible():
        return execute()
    raw = cursor.db.connection
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        return execute()
    except OperationalError as error:
        if "locked" not in str(error):
            raise
    finally:
        raw.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT * 1000}")
    if not parked.done():
        parked.set_result(None)
    return execute()


PATCHES = (
    (CursorWrapper, "_execute", with_switch_points(_execute)),
    (asyncio.tasks, "__sleep0", _sleep_0),  # what asyncio.sleep() calls for 0 s
)
