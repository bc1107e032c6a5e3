"""The connection of this server to the room, while the workshop is in a class."""

import asyncio
import logging

from lessons.workshop.member import membership
from lessons.workshop.member.room_client import RoomClient
from lessons.workshop.student.watched_file import changes_of

WATCH_INTERVAL = 0.25  # seconds between two looks at room.json

log = logging.getLogger(__name__)


class RoomLink:
    """Serves the membership in the server's event loop, and notifies the open pages of changes.

    It also runs without a membership: it waits for one, which a page or another process may begin
    at any time. `client` has what pages show, and sends to the room; it is None without a
    membership. `changed` is set at the next change; then there is a new event.
    """

    def __init__(self):
        self.client: RoomClient | None = None
        self.changed = asyncio.Event()
        self._task: asyncio.Task | None = None

    def start(self) -> None:
        """Serve in the running loop from now on, unless that has begun."""
        if self._task is None or self._task.done():
            self.notify_pages()  # the event is one of this loop
            self._task = asyncio.get_running_loop().create_task(self._serve())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _serve(self) -> None:
        """Serve the membership in the file, and then another one, or none.

        When the student decides again whether to share code, another client sends all again.
        """
        key, serving = None, None
        try:
            async with asyncio.TaskGroup() as tasks:
                async for _ in changes_of(membership.file(), WATCH_INTERVAL):
                    known = membership.read()
                    if key == (key := known and (known.token, known.shares_code)):
                        continue
                    self.client = known and RoomClient(known, self.notify_pages)
                    self.notify_pages()
                    if serving:
                        serving.cancel()
                        await asyncio.wait([serving])
                    serving = known and tasks.create_task(self.client.run())
        except Exception:
            log.exception("The connection to the class has failed. Start the workshop again.")
        finally:
            self.client = None
            self.notify_pages()

    def notify_pages(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


link = RoomLink()
