"""The connection of a workshop to its room: standings go out, the state of the class comes in.

The connection may break at any time. The client then connects again, and sends all its standings.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from lessons.workshop.member import membership, protocol
from lessons.workshop.member.membership import Membership
from lessons.workshop.member.protocol import Message, Reading, State, is_lesson
from lessons.workshop.member.standings import make_standing
from lessons.workshop.student import progress
from lessons.workshop.student.progress import Progress

# Seconds; the client waits a random part of it. All students should be back soon after the room.
MAX_PAUSE = 1.0
REFUSED_PAUSE = 60.0  # seconds after the room has rejected the token
# No page waits until a slow room has read all.
SIZES = {"max_size": 4 * protocol.MAX_FRAME, "write_limit": 16 * protocol.MAX_FRAME}
OPTIONS = {**SIZES, "compression": None, "close_timeout": 1}

log = logging.getLogger(__name__)


class RoomClient:
    """One membership in one event loop, and the class as its student sees it.

    `link` is "waiting", "connected", "refused" (the room does not know the token), or "ended" (the
    class or the student was deleted). `state_at` is when `state` arrived, of `time.monotonic`.
    `changed` is called after each change.
    """

    def __init__(self, known: Membership, changed: Callable[[], None] = lambda: None):
        self.membership, self.changed = known, changed
        self.link = "waiting"
        self.state, self.state_at = State(), 0.0
        self._reading: Reading | None = None
        self._progress: dict[str, Progress] = {}
        self._reporting = asyncio.Lock()  # a newer standing must not be overtaken by an older one
        self._connection: ClientConnection | None = None

    @property
    def messages(self) -> list[Message]:
        """What the student has not dismissed."""
        return [one for one in self.state.messages if one.id > self.membership.dismissed]

    async def run(self) -> None:
        """Serve the membership until it is cancelled."""
        self.changed()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_progress())
            tasks.create_task(self._stay_connected())

    async def _follow_progress(self) -> None:
        async for changes in progress.follow():
            await self.report(changes)

    async def report(self, changes: dict[str, Progress]) -> None:
        """Send the standings of these lessons, by key. Without a connection, remember them."""
        self._progress |= changes
        async with self._reporting:
            for key in changes:
                known = self._progress[key], self.membership.shares_code
                if found := make_standing(key, *known):
                    await self.send(found)

    # The connection

    async def _stay_connected(self) -> None:
        while self.link != "ended":
            self.link = await self._connect_once()
            if self.link in ("refused", "ended"):
                self.state = State()
            if self.link == "ended":
                self._save(held=[], today=[])
            self.changed()
            pause = REFUSED_PAUSE if self.link == "refused" else MAX_PAUSE
            await asyncio.sleep(random.uniform(0, pause))

    async def _connect_once(self) -> str:
        """Connect, and stay until the connection ends. Returns the new link."""
        url = f"ws{self.membership.url.removeprefix('http')}/room/student/"
        headers = {"Authorization": f"Bearer {self.membership.token}"}
        try:
            async with connect(url, additional_headers=headers, **OPTIONS) as self._connection:
                await self.report(self._progress)
                if self._reading:  # later: the room shows the lesson of the last frame
                    await self.send(self._reading)
                async for text in self._connection:
                    self._take(protocol.decode(text, State))
        except InvalidStatus as error:
            return "refused" if error.response.status_code == 403 else "waiting"
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else None
            return "ended" if code in (protocol.REMOVED, protocol.CLASS_DELETED) else "waiting"
        except (OSError, TimeoutError, WebSocketException, EOFError, ValueError) as error:
            log.debug("The room at %s: %s", self.membership.url, error)
        finally:
            self._connection = None
        return "waiting"

    def _take(self, state: State) -> None:
        """Show this state, without lessons that this version of the course does not have."""
        state.today = [*filter(is_lesson, state.today or ())]
        if state.look and not is_lesson(state.look.lesson):
            state.look = None
        if state.poll and state.poll.lesson and not is_lesson(state.poll.lesson):
            state.poll = None
        self.state, self.state_at, self.link = state, time.monotonic(), "connected"
        self._save(held=state.held, today=state.today)
        self.changed()

    def _save(self, **values) -> None:
        self.membership = membership.change(self.membership, **values)

    # What the student does

    async def send(self, frame: protocol.FromStudent) -> None:
        """Send a frame to a room that is connected. The room's state then says what it did."""
        if isinstance(frame, Reading):
            self._reading = frame
        if self._connection is not None:
            with suppress(ConnectionClosed):
                await self._connection.send(protocol.encode(frame))

    async def dismiss(self, number: int) -> None:
        """Forget the messages up to this id."""
        self._save(dismissed=number)
        self.changed()
