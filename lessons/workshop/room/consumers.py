"""The sockets of a class: one for each student's workshop, one for each open board or slide.

The database is the truth. A message of the layer only says "look now".
"""

import asyncio
import time
from importlib import import_module

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import IntegrityError

from lessons.workshop.member.protocol import (
    CLASS_DELETED,
    REMOVED,
    Error,
    FromStudent,
    Hand,
    Reading,
    Refused,
    Standing,
    Vote,
    decode,
    encode,
)
from lessons.workshop.room import actions, state
from lessons.workshop.room.joining import student_of
from lessons.workshop.room.models import Class, Student

FRAME_PAUSE = 0.15  # seconds in which a board collects changes


async def tell_boards(class_id: int) -> None:
    message = {"type": "class.changed", "at": time.monotonic()}
    await get_channel_layer().group_send(f"room.boards.{class_id}", message)


async def tell_class(class_id: int) -> None:
    """Let students and boards look at what an instructor has changed."""
    await get_channel_layer().group_send(f"room.students.{class_id}", {"type": "class.changed"})
    await tell_boards(class_id)


class StudentConsumer(AsyncWebsocketConsumer):
    """The connection of a student's workshop."""

    student: Student | None = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:  # an exception or a server that stops skips disconnect()
            if self.student is not None:
                state.connections[self.student.pk] -= 1
                await asyncio.shield(self.leave())

    async def connect(self):
        student = await database_sync_to_async(student_of)(bearer_token(self.scope))
        if student is None:
            await self.close()  # before the accept: HTTP 403
            return
        self.student = student
        self.group = f"room.students.{student.school_class_id}"
        state.connections[student.pk] += 1
        # Before the read: of a change in between, the consumer gets a message.
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.class_changed({})
        await tell_boards(student.school_class_id)

    async def leave(self):
        await self.channel_layer.group_discard(self.group, self.channel_name)
        await tell_boards(self.student.school_class_id)

    async def receive(self, text_data=None, bytes_data=None):
        try:
            await self.take(decode(text_data, FromStudent))
        except Refused as error:
            await self.send(encode(Error(str(error))))
        except (IntegrityError, Student.DoesNotExist):  # the student was deleted
            await self.class_changed({})

    async def take(self, frame):
        match frame:
            case Standing():
                await database_sync_to_async(actions.save_standing)(self.student, frame)
            case Reading(lesson):
                await database_sync_to_async(actions.set_reading)(self.student, lesson)
            case Hand(text):
                await database_sync_to_async(actions.set_hand)(self.student, text)
                await self.class_changed({})
            case Vote():
                await database_sync_to_async(actions.vote)(self.student, frame)
                await self.class_changed({})
        await tell_boards(self.student.school_class_id)

    async def class_changed(self, event):
        """Send all that the student sees."""
        found = await database_sync_to_async(state.student_state)(self.student.pk)
        if found is not None:
            await self.send(encode(found))
        elif await Class.objects.filter(pk=self.student.school_class_id).aexists():
            await self.close(REMOVED)
        else:
            await self.close(CLASS_DELETED)


class BoardConsumer(AsyncJsonWebsocketConsumer):
    """A page of an instructor, which shows the whole state of the class. It only receives.

    A browser cannot see why a handshake was rejected. So the consumer accepts, then says why.
    """

    async def connect(self):
        self.class_id = self.scope["url_route"]["kwargs"]["class_id"]
        self.group = f"room.boards.{self.class_id}"
        self.session_key = self.scope["session"].session_key
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.send_board()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        """Ignore the frame: actions are requests, see views.act."""

    async def class_changed(self, event):
        if event["at"] < self.read_at:
            return  # the board has shown this change already
        await asyncio.sleep(FRAME_PAUSE)
        await self.send_board()

    async def send_board(self):
        self.read_at = time.monotonic()
        # Read again for each frame: a session can end while the socket is open.
        session = import_module(settings.SESSION_ENGINE).SessionStore(self.session_key)
        if not (await get_user({"session": session})).is_staff:
            await self.end("You are not logged in any more. Reload the page.", REMOVED)
            return
        found = await database_sync_to_async(state.board)(self.class_id)
        if found is None:
            await self.end("This class was deleted.", CLASS_DELETED)
        else:
            await self.send_json(found)

    async def end(self, reason, code):
        await self.send_json({"ended": reason})
        await self.close(code)


def bearer_token(scope: dict) -> str:
    """The token of the header `Authorization: Bearer TOKEN`, "" for none."""
    value = dict(scope["headers"]).get(b"authorization", b"").decode("latin1")
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
