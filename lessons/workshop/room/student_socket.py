"""The socket of a student's machine. Frames and close codes are described in protocol.py."""

import asyncio
import json
import logging
import random
import time

from channels.consumer import AsyncConsumer, get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer

from lessons.workshop.member.protocol import (
    BAD_FRAME,
    CLASS_DELETED,
    LOGGED_OUT,
    TOO_MANY_FRAMES,
    Frame,
    InvalidFrame,
    parse_student_frame,
)
from lessons.workshop.room.groups import announce, class_group, student_group
from lessons.workshop.room.models import Class, Student
from lessons.workshop.room.report_writer import save_report
from lessons.workshop.room.store import class_state, presence, student_actions
from lessons.workshop.room.store.board_actions import Change
from lessons.workshop.room.store.joining import student_of
from lessons.workshop.room.store.reports import NewReport, StudentDeleted, acknowledged

REREAD_INTERVAL = 5.0  # seconds; a lost message of the layer delays a change by so much
BURST = 400  # frames at once: a machine that was offline sends what it kept
FRAMES_PER_SECOND = 50  # in the long run
CHARACTERS_PER_FRAME = 16_384  # a longer frame counts as several
MAX_BAD_FRAMES = 20

logger = logging.getLogger(__name__)


class StudentSocket(AsyncConsumer):
    """One connection of one student's machine."""

    student: Student | None = None
    device: str | None = None  # known after `hello`
    rereading: asyncio.Task | None = None
    bad_frames = 0
    is_closed = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            # A server that stops cancels this task again and again, so shield the clean-up.
            await asyncio.shield(self.leave())

    async def dispatch(self, message):
        """Call the handler without the trip to the database thread that Channels makes before it.

        database_sync_to_async() checks the database connections, too.
        """
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        await handler(message)

    # The connection

    async def websocket_connect(self, event):
        self.student = await database_sync_to_async(student_of)(bearer_token(self.scope))
        if self.student is None:
            await self.send({"type": "websocket.close"})  # before the accept: HTTP 403
            return
        self.groups = [class_group(self.student.school_class_id), student_group(self.student.pk)]
        self.refreshing = asyncio.Lock()
        self.limit = FrameLimit()
        await self.join_groups()  # before any read: a change in between is announced
        await self.send({"type": "websocket.accept"})

    async def join_groups(self):
        for group in self.groups:
            await self.channel_layer.group_add(group, self.channel_name)

    async def websocket_disconnect(self, event):
        raise StopConsumer()

    async def leave(self):
        """Clean up, however the connection ended."""
        if self.rereading is not None:
            self.rereading.cancel()
        if self.device is not None:
            await database_sync_to_async(presence.leave)(self.channel_name)
            await self.announce(Change(row=self.student.pk))
        if self.student is not None:
            for group in self.groups:
                try:
                    await self.channel_layer.group_discard(group, self.channel_name)
                except Exception as error:  # the layer may be unreachable
                    logger.info("not removed from %s: %s", group, error)

    async def close(self, code: int):
        self.is_closed = True
        await self.send({"type": "websocket.close", "code": code})

    # Frames

    async def websocket_receive(self, event):
        if self.is_closed:
            return
        text = event.get("text")
        if not self.limit.take(len(text or "")):
            await self.close(TOO_MANY_FRAMES)
            return
        try:
            frame = parse_student_frame(text)
            if frame.type != "hello" and self.device is None:
                await self.close(BAD_FRAME)
                return
            await getattr(self, f"do_{frame.type}")(frame)
        except InvalidFrame as error:
            await self.answer_error(error)
        except StudentDeleted:
            await self.close_deleted()

    async def answer_error(self, error: InvalidFrame):
        await self.send_json({"type": "error", "text": str(error), **error.details})
        self.bad_frames += 1
        if self.bad_frames >= MAX_BAD_FRAMES:
            await self.close(BAD_FRAME)

    async def do_hello(self, frame: Frame):
        if self.device is not None:
            raise InvalidFrame("`hello` was sent before.")
        self.after, self.state = frame.values["after"], None
        welcome = await database_sync_to_async(self.enter)(frame.values["device"])
        if welcome is None:
            await self.close_deleted()
            return
        self.device = frame.values["device"]
        self.state = stable(welcome["state"])
        await self.send_json(welcome)
        await self.refresh()
        self.rereading = asyncio.create_task(self.reread())
        await self.announce(Change(row=self.student.pk))

    def enter(self, device: str) -> dict | None:
        """Record the connection. Returns the frame of welcome, None if the student was deleted."""
        view = class_state.student_view(self.student.pk, self.after)
        if view is None:
            return None
        presence.enter(self.student, self.channel_name)
        return {
            "type": "welcome",
            "class": self.student.school_class.name,
            "name": self.student.name,
            "acknowledged": acknowledged(self.student.pk, device),
            "state": view.state,
        }

    async def do_report(self, frame: Frame):
        is_new = await save_report(NewReport(self.student.pk, self.device, frame.values))
        await self.send_json({"type": "acknowledged", "sequence": frame.values["sequence"]})
        if is_new:
            await self.announce(Change(row=self.student.pk))

    async def do_hand(self, frame: Frame):
        raise_hand = database_sync_to_async(student_actions.raise_hand)
        await raise_hand(self.student.pk, frame.values["raised"])
        await self.announce(Change(student=self.student.pk))

    async def do_vote(self, frame: Frame):
        vote = database_sync_to_async(student_actions.vote)
        await vote(self.student.pk, self.student.school_class_id, **frame.values)
        await self.announce(Change(class_changed=True))
        await self.refresh()

    async def announce(self, change: Change):
        await announce(self.student.school_class_id, change)

    async def send_json(self, data: dict):
        await self.send({"type": "websocket.send", "text": json.dumps(data)})

    # What the student must see

    async def room_look(self, event):
        if self.device is not None:
            await self.refresh()

    async def refresh(self):
        """Send what is new: announcements, and the state if it has changed."""
        async with self.refreshing:  # or two reads at once would send an announcement twice
            read = database_sync_to_async(class_state.student_view)
            while not self.is_closed:
                view = await read(self.student.pk, self.after)
                if view is None:
                    await self.close_deleted()
                    return
                if stable(view.state) != self.state:
                    self.state = stable(view.state)
                    await self.send_json({"type": "state", **view.state})
                if not view.announcements:
                    return
                for frame in view.announcements:
                    await self.send_json(frame)
                self.after = view.announcements[-1]["id"]

    async def close_deleted(self):
        classes = Class.objects.filter(pk=self.student.school_class_id)
        await self.close(LOGGED_OUT if await classes.aexists() else CLASS_DELETED)

    async def reread(self):
        """Look again now and then: a message of the layer may be lost, and Redis may restart."""
        confirmed_at = time.monotonic()
        while not self.is_closed:
            await asyncio.sleep(REREAD_INTERVAL * random.uniform(0.8, 1.2))
            try:
                await self.join_groups()
                await self.refresh()
                if time.monotonic() - confirmed_at >= presence.HEARTBEAT - REREAD_INTERVAL / 2:
                    await database_sync_to_async(presence.confirm)(self.student, self.channel_name)
                    confirmed_at = time.monotonic()
            except Exception as error:  # the layer or the database is unreachable: next time
                logger.warning("A student's socket could not look again: %s", error)


class FrameLimit:
    """A token bucket: how much one connection may send."""

    def __init__(self):
        self._tokens, self._filled_at = float(BURST), time.monotonic()

    def take(self, length: int) -> bool:
        """Whether a frame of that length may be handled."""
        now = time.monotonic()
        filled = self._tokens + (now - self._filled_at) * FRAMES_PER_SECOND
        self._tokens = min(BURST, filled) - 1 - length // CHARACTERS_PER_FRAME
        self._filled_at = now
        return self._tokens >= 0


def bearer_token(scope: dict) -> str:
    """The token of the header `Authorization: Bearer TOKEN`, "" for none."""
    value = dict(scope["headers"]).get(b"authorization", b"").decode("latin1")
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def stable(state: dict) -> dict:
    """The state without what changes with time alone: the seconds that are left."""
    timer = state["timer"]
    return {**state, "timer": timer and {**timer, "seconds": 0}}
