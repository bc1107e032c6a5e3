"""The thread of this server that is connected to the room, while the workshop is in a class.

It has its own event loop, because a worked example may block the server's.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress

from lessons.workshop.member import membership
from lessons.workshop.member.membership import Membership
from lessons.workshop.member.room_client import RoomClient, Snapshot
from lessons.workshop.student.watched_file import state_of

WATCH_INTERVAL = 0.25  # seconds between two looks at room.json

log = logging.getLogger(__name__)


class RoomLink:
    """Serves the membership in a thread, and notifies the open pages of changes.

    The thread also runs without a membership: it waits for one, which a page or another process
    may begin at any time. `snapshot` is what pages show, None without a membership. Any thread may
    read it. A second server of the same folder is connected too, and reports the same.
    """

    def __init__(self):
        self.snapshot: Snapshot | None = None
        self._guard = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: RoomClient | None = None
        self._pages: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._known: Membership | None = None
        self._file_state = None

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

    def do(self, action: Callable[[RoomClient], Coroutine]) -> None:
        """Run `action(client)` in the room's loop, if there is a client."""

        async def run() -> None:
            if self._client is not None:
                await action(self._client)

        if self._loop is not None and not self._loop.is_closed():
            with suppress(RuntimeError):  # the loop has just closed
                asyncio.run_coroutine_threadsafe(run(), self._loop)

    # The thread

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            log.exception("The connection to the class has failed. Start the workshop again.")
        finally:
            with self._guard:  # before another thread publishes its class
                self._publish(None)
                self._thread = None

    async def _serve(self) -> None:
        self._loop, self._file_state = asyncio.get_running_loop(), None
        while not self._stopped.is_set():
            if known := self._membership():
                await self._serve_membership(known)
            else:
                self._publish(None)
                await asyncio.sleep(WATCH_INTERVAL)

    async def _serve_membership(self, known: Membership) -> None:
        """Serve it until the file has another one, or none, and until a stop.

        It also ends when the student decides again whether to share code: all is then sent again.
        """
        self._client = RoomClient(known, self._publish)
        serving = asyncio.create_task(self._client.run())
        try:
            while not self._stopped.is_set() and not serving.done():
                found = self._membership()
                if not found or (found.token, found.shares_code) != (
                    known.token,
                    known.shares_code,
                ):
                    return
                await asyncio.wait([serving], timeout=WATCH_INTERVAL)
            if serving.done():
                await serving  # raises what has ended it
        finally:
            self._client = None
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    def _membership(self) -> Membership | None:
        """The membership, which is read again when its file has changed."""
        if self._file_state != (now := state_of(membership.file())):
            self._file_state, self._known = now, membership.read()
        return self._known

    def _publish(self, snapshot: Snapshot | None) -> None:
        if snapshot == self.snapshot:
            return
        self.snapshot = snapshot
        for loop, changed in self._pages:
            with suppress(RuntimeError):  # that loop has ended
                loop.call_soon_threadsafe(changed.set)


link = RoomLink()
