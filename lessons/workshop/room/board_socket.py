"""The socket of an instructor's board. Frames and close codes are described in protocol.py."""

import asyncio
import json
import logging
from contextlib import suppress

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer

from lessons.workshop.member.protocol import (
    CLASS_DELETED,
    CONNECT_AGAIN,
    LOGGED_OUT,
    InvalidFrame,
    parse_board_frame,
)
from lessons.workshop.room.groups import announce, board_group
from lessons.workshop.room.models import Class
from lessons.workshop.room.store import board_actions, board_rows
from lessons.workshop.room.store.instructors import is_instructor

FRAME_INTERVAL = 0.2  # seconds; a board receives at most one frame of rows in this time
REREAD_INTERVAL = 2.0  # seconds

logger = logging.getLogger(__name__)


class BoardSocket(AsyncConsumer):
    """One open board. One task sends what has changed; the handlers only say that it has."""

    updating: asyncio.Task | None = None
    is_closed = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.updating is not None:
                self.updating.cancel()
                with suppress(Exception):  # the layer may be unreachable
                    await asyncio.shield(self.leave_group())

    async def websocket_connect(self, event):
        self.class_id = self.scope["url_route"]["kwargs"]["class_id"]
        if not await self.may_stay():
            # A browser sees no difference between HTTP 403 and a server that does not answer.
            await self.send({"type": "websocket.accept"})
            await self.close(LOGGED_OUT)
            return
        self.changed, self.students, self.class_changed = asyncio.Event(), set(), False
        await self.join_group()  # before the read: a change in between is announced
        await self.send({"type": "websocket.accept"})
        self.updating = asyncio.create_task(self.update())

    async def may_stay(self) -> bool:
        session = self.scope["session"].session_key
        check = database_sync_to_async(is_instructor)
        return await check(self.scope["user"].pk, session)

    async def join_group(self):
        await self.channel_layer.group_add(board_group(self.class_id), self.channel_name)

    async def leave_group(self):
        await self.channel_layer.group_discard(board_group(self.class_id), self.channel_name)

    async def websocket_disconnect(self, event):
        raise StopConsumer()

    # The instructor's actions

    async def websocket_receive(self, event):
        if self.is_closed:
            return
        try:
            frame = parse_board_frame(event.get("text"))
            if not await self.may_stay():
                await self.close(LOGGED_OUT)
                return
            change = await database_sync_to_async(board_actions.act)(self.class_id, frame)
        except InvalidFrame as error:
            await self.send_json({"type": "error", "text": str(error), **error.details})
        except Class.DoesNotExist:
            await self.close(CLASS_DELETED)
        else:
            await self.send_json({"type": "done", **frame.details})
            await announce(self.class_id, change)

    # What the board shows

    async def room_look(self, event):
        self.students.update(event["students"])
        self.class_changed = self.class_changed or event["class_changed"]
        self.changed.set()

    async def update(self):
        """Send the snapshot, then what changes, until the board is closed."""
        try:
            snapshot = await database_sync_to_async(board_rows.snapshot)(self.class_id)
            if snapshot is None:
                await self.close(CLASS_DELETED)
                return
            await self.send_json(snapshot)
            self.sent_class = class_part(snapshot)
            self.sent_rows = {row["id"]: key_of(row) for row in snapshot["students"]}
            self.looked_at = asyncio.get_running_loop().time()
            while not self.is_closed:
                await self.wait_and_send()
        except Exception:
            logger.exception("A board has ended")
            await self.close(CONNECT_AGAIN)

    async def wait_and_send(self):
        """Send what the layer has named. After REREAD_INTERVAL, look at everything again."""
        clock = asyncio.get_running_loop().time
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self.looked_at + REREAD_INTERVAL):
                await self.changed.wait()
        students, self.students = self.students, set()
        class_changed, self.class_changed = self.class_changed, False
        self.changed.clear()
        if clock() >= self.looked_at + REREAD_INTERVAL:  # even if a message has arrived
            students, class_changed = students | await self.look_again(), True
            self.looked_at = clock()
        if class_changed and not self.is_closed:
            await self.send_class()
        if students and not self.is_closed:
            await self.send_rows(students)
        await asyncio.sleep(FRAME_INTERVAL)

    async def look_again(self) -> set[int]:
        """Check the account and the group again. Returns the students whose rows have changed."""
        if not await self.may_stay():
            await self.close(LOGGED_OUT)
            return set()
        await self.join_group()  # Redis may have restarted
        now = await database_sync_to_async(board_rows.versions)(self.class_id)
        changed = {student for student, key in now.items() if self.sent_rows.get(student) != key}
        return changed | (set(self.sent_rows) - set(now))

    async def send_class(self):
        frame = await database_sync_to_async(board_rows.class_frame)(self.class_id)
        if frame is None:
            await self.close(CLASS_DELETED)
        elif class_part(frame) != self.sent_class:
            self.sent_class = class_part(frame)
            await self.send_json(frame)

    async def send_rows(self, students: set[int]):
        rows = await database_sync_to_async(board_rows.rows)(self.class_id, students)
        changed = [row for row in rows if self.sent_rows.get(row["id"]) != key_of(row)]
        gone = students & set(self.sent_rows) - {row["id"] for row in rows}
        if changed:
            await self.send_json({"type": "rows", "students": changed})
            self.sent_rows.update({row["id"]: key_of(row) for row in changed})
        if gone:
            await self.send_json({"type": "gone", "students": sorted(gone)})
            self.sent_rows = {id: key for id, key in self.sent_rows.items() if id not in gone}

    async def close(self, code: int):
        self.is_closed = True
        await self.send({"type": "websocket.close", "code": code})

    async def send_json(self, data: dict):
        await self.send({"type": "websocket.send", "text": json.dumps(data)})


def key_of(row: dict) -> tuple[int, bool]:
    """What changes with each change of a row, as in board_rows.versions()."""
    return row["version"], row["connected"]


def class_part(frame: dict) -> dict:
    """The class and its poll, without what changes with time alone: the timer's seconds."""
    timer = frame["class"]["timer"]
    shown = {**frame["class"], "timer": timer and {**timer, "seconds": 0}}
    return {"class": shown, "poll": frame["poll"]}
