"""The thread of this server that is connected to the room, while the workshop is in a class.

It has its own event loop, because a worked example may block the server's. Only one process of a
project's folder is connected at a time: it holds the lock of `.workshop/room.link`.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from django.core.files import locks

from lessons.workshop.member import membership
from lessons.workshop.member.membership import Membership, MembershipEnded
from lessons.workshop.student import progress
from lessons.workshop.student.watched_file import state_of

if TYPE_CHECKING:
    from lessons.workshop.member.room_client import RoomClient

WATCH_INTERVAL = 0.25  # seconds between two looks at room.json and at the lock

log = logging.getLogger(__name__)


class RoomLink:
    """Serves the membership in a thread, and notifies the open pages of changes.

    The thread also runs without a membership: it waits for one, which a page or another process
    may begin at any time. `snapshot` is what pages show, None without a membership. Any thread may
    read it.
    """

    def __init__(self):
        self.snapshot: dict | None = None
        self._guard = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: RoomClient | None = None
        self._pages: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def start(self) -> None:
        """Start the thread, unless it runs."""
        with self._guard:
            if self._thread is None:
                self._stopped.clear()
                self._thread = threading.Thread(target=self._run, name="room", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the connection and the thread, and wait for that."""
        self._stopped.set()
        if thread := self._thread:
            thread.join()

    # For pages, in the server's loop

    def join(self) -> asyncio.Event:
        """An event that is set after each change."""
        changed = asyncio.Event()
        self._pages = self._pages | {(asyncio.get_running_loop(), changed)}
        return changed

    def leave(self, changed: asyncio.Event) -> None:
        self._pages = {one for one in self._pages if one[1] is not changed}

    def do(self, action: Callable) -> None:
        """Call `action(client)` in the room's loop, if there is a client. It may be async."""
        loop = self._loop

        async def run() -> None:
            if self._client is not None:
                with suppress(MembershipEnded):
                    result = action(self._client)
                    if asyncio.iscoroutine(result):
                        await result

        if loop is not None and not loop.is_closed():
            with suppress(RuntimeError):  # the loop has just closed
                asyncio.run_coroutine_threadsafe(run(), loop)

    # The thread

    def _run(self) -> None:
        try:
            while (known := self._next_membership()) is not None:
                asyncio.run(self._serve(known))
        except Exception:
            log.exception("The connection to the class has failed. Start the workshop again.")
        finally:
            with self._guard:  # before another thread publishes its class
                self._publish(None)
                self._thread = None

    def _next_membership(self) -> Membership | None:
        """Look at room.json until it has a membership. None after the link was stopped."""
        seen = None
        while not self._stopped.is_set():
            if seen != (seen := state_of(membership.file())) and (known := membership.read()):
                return known
            self._publish(None)
            self._stopped.wait(WATCH_INTERVAL)
        return None

    async def _serve(self, known: Membership) -> None:
        from lessons.workshop.member.room_client import RoomClient, idle_snapshot  # loads a library

        self._loop = asyncio.get_running_loop()
        lock = _acquire_lock()
        if lock is None:
            self._publish(idle_snapshot(known))
            await asyncio.sleep(WATCH_INTERVAL)
            return
        try:
            client = RoomClient(known, changed=lambda: self._publish(client.snapshot()))
            self._client = client
            self._publish(client.snapshot())
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(client.run())
                    tasks.create_task(self._until_left(client, known.token))
            except* MembershipEnded:
                pass
        finally:
            self._client = None
            lock.close()

    async def _until_left(self, client: "RoomClient", token: str) -> None:
        """Raise MembershipEnded when room.json has another membership or none, and at a stop.

        A student who joins again gets another token.
        """
        seen = ()  # no state of a file: a student may have left before the first look
        while not self._stopped.is_set():
            if seen != (seen := state_of(membership.file())):
                found = membership.read()
                known = client.membership.device, token
                if found is None or (found.device, found.token) != known:
                    break
            await asyncio.sleep(WATCH_INTERVAL)
        raise MembershipEnded

    def _publish(self, snapshot: dict | None) -> None:
        if snapshot == self.snapshot:
            return
        self.snapshot = snapshot
        for loop, changed in self._pages:
            with suppress(RuntimeError):  # that loop has ended
                loop.call_soon_threadsafe(changed.set)


def _acquire_lock() -> IO | None:
    lock = open(progress.state_dir() / "room.link", "a")  # noqa: SIM115 - held while connected
    if locks.lock(lock, locks.LOCK_EX | locks.LOCK_NB):
        return lock
    lock.close()
    return None


def other_process_serves(patience: float = 12 * WATCH_INTERVAL) -> bool:
    """Whether another process of this folder is connected to the room, or is so within `patience`.

    A running workshop needs a moment to see a new membership.
    """
    end = time.monotonic() + patience
    while (lock := _acquire_lock()) is not None:
        lock.close()
        if time.monotonic() > end:
            return False
        time.sleep(WATCH_INTERVAL / 2)
    return True


link = RoomLink()
