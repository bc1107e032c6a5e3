"""People in a chat: browsers with a user, a room, and what they hear."""

import json

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter

from db_demo.chat.routing import websocket_urlpatterns
from db_demo.models import Membership, Room
from lessons.judge import StrictCommunicator

APPLICATION = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))


class Person:
    """A client that speaks the chat's protocol."""

    def __init__(self, path, headers):
        self.client = StrictCommunicator(APPLICATION, path, headers)

    async def say(self, text, **more):
        await self.client.send_json_to({"message": text, **more})

    def frames(self) -> list[dict]:
        """All that came since the last look, decoded."""
        sent, self.client.server.unread = self.client.unread, []
        return [json.loads(one["text"]) for one in sent if one["type"] == "websocket.send"]

    def heard(self) -> list[str]:
        """The messages that came since the last look."""
        return [frame["message"] for frame in self.frames() if "message" in frame]

    async def leave(self):
        await self.client.leave()


class Chat:
    """Opens connections to one of the chats, and ends them all."""

    def __init__(self, database, prefix):
        self.database, self.prefix, self.people = database, prefix, []

    def path(self, room="lobby", seen=None):
        return f"/ws/{self.prefix}/{room}/" + ("" if seen is None else f"?seen={seen}")

    async def knock(self, name=None, room="lobby", seen=0, headers=None) -> Person:
        """Try to come in: `name` has logged in, None is a guest; seen=None: a classic client."""
        if headers is None:
            headers = await self.database.log_in(name) if name else []
        person = Person(self.path(room, seen), headers)
        self.people.append(person)
        accepted, _ = await person.client.connect()
        assert accepted
        return person

    async def enter(self, name=None, room="lobby", seen=0, headers=None) -> Person:
        """Come in, and look at what there is."""
        person = await self.knock(name, room, seen, headers)
        assert person.client.closed is None
        for one in self.people:
            one.frames()
        return person

    async def private(self, room, *members) -> None:
        """Make a private room, with members who have accounts by now."""
        users = [await self.user(name) for name in members]
        await self.database.do(_make_private, room, users)

    async def user(self, name):
        await self.database.log_in(name)
        return await self.database.do(_user, name)

    async def put_out(self, room, name, told=False) -> None:
        """End a membership; only if `told`, the signals say so."""
        rows = Membership.objects.filter(room__name=room, user__username=name)
        if told:
            await self.database.do(rows.delete)
        else:
            await self.database.do(rows._raw_delete, "default")

    async def end(self):
        try:
            for person in self.people:
                await person.leave()
        finally:
            for person in self.people:
                await person.client.cancel_application()


def _user(name):
    from django.contrib.auth.models import User

    return User.objects.get(username=name)


def _make_private(name, users):
    room = Room.objects.create(name=name, is_private=True)
    room.members.set(users)
