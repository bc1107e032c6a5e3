"""Clients of all chats for tests: log in, join rooms, send and read messages."""

import json
from contextlib import asynccontextmanager

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.contrib.auth.models import User

from db_demo.models import Membership, Room
from db_demo.routing import storing_urlpatterns
from lessons.extras.routing import websocket_urlpatterns
from lessons.workshop.engine.world.database import fresh_database
from tests.support.simulated_time import wait
from tests.support.strict_communicator import StrictCommunicator

URLPATTERNS = [*storing_urlpatterns, *websocket_urlpatterns]
APPLICATION = AuthMiddlewareStack(URLRouter(URLPATTERNS))


class Participant:
    """One client that uses the chat's protocol."""

    def __init__(self, client: StrictCommunicator):
        self.client = client

    async def post(self, text, **more):
        await self.client.send_json_to({"message": text, **more})

    def new_frames(self) -> list[dict]:
        """Return the decoded frames since the last call."""
        events = self.client.take_unread()
        return [json.loads(event["text"]) for event in events if event["type"] == "websocket.send"]

    async def confirm(self, frames) -> None:
        """Answer the last question for a receipt in these frames."""
        key = [frame["confirm"] for frame in frames if "confirm" in frame][-1]
        await self.client.send_to(text_data=key)

    def new_messages(self) -> list[str]:
        """Return the texts of the messages since the last call."""
        return [frame["message"] for frame in self.new_frames() if "message" in frame]

    async def leave(self):
        await self.client.leave()


class Chat:
    """Opens connections to one of the chats, and closes all of them at the end."""

    def __init__(self, database, prefix):
        self.database, self.prefix, self.participants = database, prefix, []

    def path(self, room="lobby", seen=None):
        return f"/ws/{self.prefix}/{room}/" + ("" if seen is None else f"?seen={seen}")

    async def connect(self, name=None, room="lobby", seen=0, headers=None) -> Participant:
        """Connect as the user `name`, or as a guest. With seen=None: a classic client."""
        if headers is None:
            headers = await self.database.log_in(name) if name else []
        client = StrictCommunicator(APPLICATION, self.path(room, seen), headers)
        participant = Participant(client)
        self.participants.append(participant)
        accepted, _ = await participant.client.connect()
        assert accepted
        return participant

    async def join(self, name=None, room="lobby", seen=0, headers=None) -> Participant:
        """Connect, check that the connection stays open, and discard all frames so far."""
        participant = await self.connect(name, room, seen, headers)
        assert participant.client.close_code is None
        await wait(0)  # until every participant has received what follows from it
        for each in self.participants:
            each.new_frames()
        return participant

    async def make_private(self, room, *members) -> None:
        """Create a private room, and accounts for its members."""
        users = [await self.user(name) for name in members]
        await self.database.do(_make_private, room, users)

    async def user(self, name):
        await self.database.log_in(name)
        return await self.database.do(User.objects.get, username=name)

    async def remove_member(self, room, name, signals=False) -> None:
        """Delete a membership, without signals unless `signals`."""
        rows = Membership.objects.filter(room__name=room, user__username=name)
        if signals:
            await self.database.do(rows.delete)
        else:
            await self.database.do(rows._raw_delete, "default")

    async def end(self):
        try:
            for participant in self.participants:
                await participant.leave()
        finally:
            for participant in self.participants:
                await participant.client.cancel_application()


@asynccontextmanager
async def chat_at(prefix):
    """A Chat at `/ws/PREFIX/ROOM/`, with its own empty database."""
    async with fresh_database() as database:
        chat = Chat(database, prefix)
        yield chat
        await chat.end()


def _make_private(name, users):
    room = Room.objects.create(name=name, is_private=True)
    room.members.set(users)
