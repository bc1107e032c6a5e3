"""Who is in a room. Entries and leaves are announced in batches, and read once for all clients.

If each entry sent the names to all clients, the entry of 400 clients would cost 160,000 frames.
"""

import asyncio
from collections import deque
from contextlib import suppress
from contextvars import Context
from uuid import uuid4
from weakref import WeakKeyDictionary, WeakValueDictionary

from channels.layers import get_channel_layer

from lessons.extras.hardened_chat import store
from lessons.extras.hardened_chat.database import run_query
from lessons.extras.hardened_chat.revocation import room_group

ANNOUNCE_INTERVAL = 1  # seconds between two announcements of a process for a room
TYPING_INTERVAL = 0.25  # seconds between two notices of a process that a user of a room types
MAX_ANNOUNCEMENTS = 32  # ids that a process remembers; a forgotten one only costs a query

_rooms = WeakKeyDictionary()  # by event loop, because locks and tasks belong to one


def presence_in(room: str) -> "RoomPresence":
    """Return the object that all clients of this room in this process share."""
    rooms = _rooms.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    return rooms.setdefault(room, RoomPresence(room))


class RoomPresence:
    """The users in one room, for all its clients in this process."""

    def __init__(self, room: str):
        self.room = room
        self.users = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._announcements = deque(maxlen=MAX_ANNOUNCEMENTS)  # ids that are part of `users`
        self._interval = None  # the timer of the current one
        self._has_changed = False  # in the current interval
        self._announcement = None  # the task, because the event loop keeps no reference to it
        self._typed_at = float("-inf")

    def announce(self) -> None:
        """Announce that a client has come or left: now, or at the end of the interval."""
        if self._interval is not None:
            self._has_changed = True
            return
        # In an empty context, because both may outlive the connection that starts them.
        self._announcement = asyncio.create_task(self._send(), context=Context())
        self._interval = asyncio.get_running_loop().call_later(
            ANNOUNCE_INTERVAL, self._end_interval, context=Context()
        )

    def _end_interval(self):
        self._interval = None
        if self._has_changed:
            self._has_changed = False
            self.announce()

    async def _send(self):
        message = {"type": "chat.presence", "id": uuid4().hex}
        with suppress(Exception):  # unreachable layer: the next heartbeats read the users
            await get_channel_layer().group_send(room_group(self.room), message)

    async def users_after(self, announcement: str) -> dict:
        """Return the users, read after this announcement. The first caller reads for all."""
        async with self._reading:
            if announcement not in self._announcements:
                await self._read()
                self._announcements.append(announcement)
        return self.users

    async def recent_users(self) -> dict:
        """Return the users, read during the last interval."""
        async with self._reading:
            if asyncio.get_running_loop().time() - self._read_at >= ANNOUNCE_INTERVAL:
                await self._read()
        return self.users

    def take_typing_turn(self) -> bool:
        """Whether a notice that a user types may be sent: five hundred users must not all send."""
        now = asyncio.get_running_loop().time()
        if now - self._typed_at < TYPING_INTERVAL:
            return False
        self._typed_at = now
        return True

    async def _read(self):
        read_at = asyncio.get_running_loop().time()
        self.users = await run_query(store.present_users, self.room)
        self._read_at = read_at
