"""Clients of the hardened chat in the simulated world."""

import pytest
from django.contrib.auth.models import User

from db_demo.models import Membership, Room


class Participant:
    """A client of the chat, and what it has received since the last look."""

    def __init__(self, client):
        self.client, self.seen = client, 0

    def post(self, text, **more):
        self.client.send(json={"message": text, **more})

    def new_frames(self) -> list[dict]:
        frames = self.client.received_json[self.seen :]
        self.seen += len(frames)
        return frames

    def new_messages(self) -> list[str]:
        return [frame["message"] for frame in self.new_frames() if "message" in frame]

    def confirm(self, frames) -> None:
        """Answer the last question for a receipt in these frames."""
        self.client.send([frame["confirm"] for frame in frames if "confirm" in frame][-1])


class Chat:
    """Opens connections to the hardened chat."""

    def __init__(self, world):
        self.world, self.participants = world, []

    def connect(self, name=None, room="lobby", seen=0, **identity) -> Participant:
        """Connect as the user `name`, or as a guest, or with an identity for world.connect()."""
        if name:
            identity["user"] = self.user(name)
        client = self.world.connect(f"/ws/chat/{room}/?seen={seen}", **identity)
        self.participants.append(Participant(client))
        return self.participants[-1]

    def join(self, *where, **options) -> Participant:
        """Connect, check that the connection stays open, and discard all frames so far."""
        participant = self.connect(*where, **options)
        assert participant.client.closed is None
        for each in self.participants:
            each.new_frames()
        return participant

    def user(self, name) -> User:
        return User.objects.get_or_create(username=name)[0]

    def make_private(self, name, *members) -> None:
        """Create a private room, and accounts for its members."""
        room = Room.objects.create(name=name, is_private=True)
        room.members.set(map(self.user, members))

    def remove_member(self, room, name, signals=False) -> None:
        """Delete a membership, without signals unless `signals`."""
        rows = Membership.objects.filter(room__name=room, user__username=name)
        rows.delete() if signals else rows._raw_delete("default")


@pytest.fixture
def chat(transactional_db, world):
    return Chat(world)
