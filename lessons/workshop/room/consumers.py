"""The sockets of a class: one for each student's workshop, one for each open board or slide.

The database is the truth. A message of the layer only says "look now".
"""

import asyncio
import logging
import time
from importlib import import_module

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError

from lessons.workshop.member import protocol
from lessons.workshop.room import actions, state
from lessons.workshop.room.joining import student_of
from lessons.workshop.room.models import Class, Student

FRAME_PAUSE = 0.15  # seconds in which a board collects changes

log = logging.getLogger(__name__)


async def tell_boards(class_id: int) -> None:
    message = {"type": "class.changed", "at": time.monotonic()}
    await get_channel_layer().group_send(f"room.boards.{class_id}", message)


async def tell_class(class_id: int) -> None:
    """Let students and boards look at what an instructor has changed."""
    await get_channel_layer().group_send(f"room.students.{class_id}", {"type": "class.changed"})
    await tell_boards(class_id)


class StudentConsumer(AsyncJsonWebsocketConsumer):
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

    @classmethod
    async def decode_json(cls, text):
        """The frame. None if it is not valid, such as that of a workshop of another version."""
        try:
            return protocol.decode(text, protocol.FromStudent)
        except protocol.Refused as error:
            log.warning("The room ignores a frame of a workshop: %s", error)
            return None

    @classmethod
    async def encode_json(cls, frame):
        return protocol.encode(frame)

    async def receive_json(self, frame):
        is_answered = isinstance(frame, protocol.Hand | protocol.Vote)
        try:
            await database_sync_to_async(actions.take)(self.student, frame)
        except (IntegrityError, ObjectDoesNotExist):  # the student was deleted
            is_answered = True
        if is_answered:
            await self.class_changed({})
        await tell_boards(self.student.school_class_id)

    async def class_changed(self, event):
        """Send all that the student sees."""
        found = await database_sync_to_async(state.student_state)(self.student.pk)
        if found is not None:
            await self.send_json(found)
        elif await Class.objects.filter(pk=self.student.school_class_id).aexists():
            await self.close(protocol.REMOVED)
        else:
            await self.close(protocol.CLASS_DELETED)


class BoardConsumer(AsyncJsonWebsocketConsumer):
    """A page of an instructor, which shows the whole state of the class. It only receives.

    A browser cannot see why a handshake was rejected. So the consumer accepts, then says why.
    """

    async def connect(self):
        self.class_id = self.scope["url_route"]["kwargs"]["class_id"]
        self.group = f"room.boards.{self.class_id}"
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
        key = self.scope["session"].session_key
        session = import_module(settings.SESSION_ENGINE).SessionStore(key)
        if not (await get_user({"session": session})).is_staff:
            await self.end("You are not logged in any more. Reload the page.", protocol.REMOVED)
        elif found := await database_sync_to_async(state.board)(self.class_id):
            await self.send_json(found)
        else:
            await self.end("This class was deleted.", protocol.CLASS_DELETED)

    async def end(self, reason, code):
        await self.send_json({"ended": reason})
        await self.close(code)


def bearer_token(scope: dict) -> str:
    """The token of the header `Authorization: Bearer TOKEN`, "" for none."""
    value = dict(scope["headers"]).get(b"authorization", b"").decode("latin1")
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
