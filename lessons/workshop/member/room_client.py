"""The connection of a workshop to its room: standings go out, the state of the class comes in.

The connection may break at any time. The client then connects again, and sends all its standings.
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from lessons.workshop.member import membership
from lessons.workshop.member.membership import Membership
from lessons.workshop.member.protocol import (
    CLASS_DELETED,
    MAX_FRAME,
    REMOVED,
    ROOM_FRAMES,
    InvalidFrame,
    parse,
)
from lessons.workshop.member.standings import frames_of, make_standing
from lessons.workshop.student import progress
from lessons.workshop.student.progress import Progress

# Seconds; the client waits a random part of it. All students should be back soon after the room.
MAX_PAUSE = 1.0
REFUSED_PAUSE = 60.0  # seconds after the room has rejected the token
NOTHING = {"messages": [], "hand": False, "look": None, "timer": None, "poll": None}

log = logging.getLogger(__name__)


class RoomClient:
    """One membership in one event loop.

    `link` is "waiting", "connected", "refused" (the room does not know the token), or "ended" (the
    class or the student was deleted). `changed` is called after each change that a page must show.
    """

    def __init__(self, known: Membership, changed: Callable[[], None] = lambda: None):
        self.membership, self.changed = known, changed
        self.link = "waiting"
        self.state, self.state_at = NOTHING, time.monotonic()
        self._reading: str | None = None
        self._progress: dict[str, Progress] = {}
        self._unsent: set[str] = set()  # keys of lessons
        self._has_unsent = asyncio.Event()
        self._connection: ClientConnection | None = None

    async def run(self) -> None:
        """Serve the membership until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_progress())
            tasks.create_task(self._stay_connected())

    # Standings

    async def _follow_progress(self) -> None:
        async for changes in progress.follow():
            self.take_progress(changes)

    def take_progress(self, changes: dict[str, Progress]) -> None:
        """Report these lessons, by key."""
        self._progress |= changes
        self._unsent |= changes.keys()
        self._has_unsent.set()

    async def _send_standings(self, connection: ClientConnection) -> None:
        self._unsent, reading = set(self._progress), self._reading
        while True:
            self._has_unsent.clear()
            changes = [(key, self._progress[key]) for key in self._unsent]
            self._unsent = set()
            made = [make_standing(*one, self.membership.shares_code) for one in changes]
            for frame in frames_of(filter(None, made)):
                await connection.send(frame)
            if reading:  # later than the standings: the room shows the lesson of the last frame
                await self.read(reading)
                reading = None
            await self._has_unsent.wait()

    # The connection

    async def _stay_connected(self) -> None:
        while True:
            self.link = await self._connect_once()
            if self.link == "ended":
                self._save(held=[], today=[])
            self.changed()
            if self.link == "ended":
                return
            pause = REFUSED_PAUSE if self.link == "refused" else MAX_PAUSE
            await asyncio.sleep(random.uniform(0, pause))

    async def _connect_once(self) -> str:
        """Connect, and stay until the connection ends. Returns the new link."""
        url = f"ws{self.membership.url.removeprefix('http')}/room/student/"
        headers = {"Authorization": f"Bearer {self.membership.token}"}
        try:
            async with connect(
                url, additional_headers=headers, max_size=4 * MAX_FRAME, compression=None,
                close_timeout=1,
            ) as self._connection:  # fmt: skip
                await self._serve(self._connection)
        except InvalidStatus as error:
            return "refused" if error.response.status_code == 403 else "waiting"
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else None
            return "ended" if code in (REMOVED, CLASS_DELETED) else "waiting"
        except InvalidFrame as error:
            log.warning("The room at %s has sent a wrong frame: %s", self.membership.url, error)
        except (OSError, TimeoutError, WebSocketException, EOFError, ValueError) as error:
            log.debug("The room does not answer: %s", error)
        finally:
            self._connection = None
        return "waiting"

    async def _serve(self, connection: ClientConnection) -> None:
        sending = asyncio.create_task(self._send_standings(connection))
        try:
            async for text in connection:
                kind, frame = parse(text if isinstance(text, str) else None, ROOM_FRAMES)
                if kind == "state":
                    self.state, self.state_at, self.link = frame, time.monotonic(), "connected"
                    self._save(held=frame["held"], today=frame["today"] or [])
                    self.changed()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    def _save(self, **values) -> None:
        self.membership = membership.change(self.membership, **values)

    # What the student does

    def dismiss(self, number: int) -> None:
        """Forget the messages up to this id."""
        self._save(dismissed=number)
        self.changed()

    async def read(self, slug: str) -> None:
        """Report which lesson's page is open."""
        self._reading = slug
        await self.send(type="reading", lesson=slug)

    async def send(self, **frame) -> None:
        """Send a frame to a room that is connected. The room's state then says what it did."""
        if self._connection is not None:
            with suppress(ConnectionClosed):
                await self._connection.send(json.dumps(frame))

    # What pages show

    def snapshot(self) -> dict:
        """All that a page shows of the class, as plain data.

        The end of the timer is a value of `time.monotonic`. A class that has ended shows nothing.
        """
        known = self.membership
        state = NOTHING if self.link in ("refused", "ended") else self.state
        timer = state["timer"]
        return {
            "class": known.school_class,
            "link": self.link,
            "held": known.held,
            "today": known.today,
            **{name: state[name] for name in ("hand", "poll", "look")},
            "messages": [one for one in state["messages"] if one["id"] > known.dismissed],
            "timer": timer and {**timer, "ends": self.state_at + timer["seconds"]},
        }
