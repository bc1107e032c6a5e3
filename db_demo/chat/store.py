"""What the chat asks of the database. Plain functions: the consumers call them in a thread.

Each that reads or writes for a visitor asks first whether that visitor may, now: a session ends, a
password changes and a member is put out while the socket stays open.
"""

from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from db_demo.models import Membership, Message, Room, Seat

HISTORY = 50  # messages that a newcomer is shown
MOST = 1_000  # messages that one who returns is shown
PAGE = 100  # messages read at once
EXPIRY = timedelta(seconds=30)  # a seat that has not been kept so long is empty
SEATS_OF_A_USER = 10
SEATS_OF_AN_ADDRESS = 500  # for guests, many of whom may share one

SESSION_OVER, FORBIDDEN, TOO_MANY = 4401, 4403, 4429


class Denied(Exception):
    """The visitor may not; `code` is what the connection is closed with."""

    def __init__(self, code: int):
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Visitor:
    """One connection to one room: what the handshake said, which is not believed for ever."""

    room: str
    channel: str
    address: str
    user_id: int | None  # None: a guest
    session_key: str | None


def take_seat(visitor: Visitor) -> None:
    """Let the visitor in, if it may come in and has not come too often."""
    with transaction.atomic():
        user = _admit(visitor)
        Seat.objects.filter(seen_at__lt=timezone.now() - EXPIRY).delete()
        taken = Seat.objects.filter(user=user)
        if user is None:
            taken = taken.filter(address=visitor.address)
        if taken.count() >= (SEATS_OF_AN_ADDRESS if user is None else SEATS_OF_A_USER):
            raise Denied(TOO_MANY)
        _sit(visitor)


def keep_seat(visitor: Visitor) -> None:
    """The visitor is still here, and still may be."""
    _admit(visitor)
    _sit(visitor)


def leave_seat(visitor: Visitor) -> None:
    Seat.objects.filter(channel=visitor.channel).delete()


def who_is_here(visitor: Visitor) -> dict:
    """Names, each once however many tabs it has, and how many guests."""
    seats = Seat.objects.filter(room=visitor.room, seen_at__gte=timezone.now() - EXPIRY)
    names = seats.exclude(user=None).values_list("user__username", flat=True)
    return {"here": sorted(set(names)), "guests": seats.filter(user=None).count()}


def start(visitor: Visitor, seen: int | None) -> int:
    """After which message to begin: `seen` is the last that the client has, 0 for a newcomer.

    None: the client wants no history.
    """
    if seen is None:
        return _place(visitor, 0)
    if seen == 0:
        return _place(visitor, HISTORY)
    return max(min(seen, _place(visitor, 0)), _place(visitor, MOST))


def since(visitor: Visitor, last: int) -> list[dict]:
    """The next page of messages after the one with id `last`, oldest first."""
    user = _admit(visitor)
    rows = Message.objects.filter(room__name=visitor.room, id__gt=last).order_by("id")
    return [_as_sent(row, user) for row in rows.select_related("author")[:PAGE]]


def save(visitor: Visitor, text: str, key: str) -> None:
    """Keep the message; once, however often a client that saw no answer sends the same key."""
    with transaction.atomic():
        user = _admit(visitor)
        Room.objects.get_or_create(name=visitor.room)  # an open room begins with its first message
        # One at a time in each room: a higher id is never seen before a lower one.
        room = Room.objects.select_for_update().get(name=visitor.room)
        if key and room.messages.filter(author=user, key=key).exists():
            return
        room.messages.create(author=user, text=text, key=key)


def check(visitor: Visitor) -> None:
    """Raises Denied for one who may not be here any more."""
    _admit(visitor)


def _admit(visitor: Visitor):
    """The visitor's user, None for a guest; Denied for one who may not be in this room, now."""
    user = _user(visitor)
    room = Room.objects.filter(name=visitor.room).first()
    if room is not None and room.is_private:
        members = Membership.objects.filter(room=room, user_id=visitor.user_id)
        if user is None or not members.exists():
            raise Denied(FORBIDDEN)
    return user


def _user(visitor: Visitor):
    """Whose session it is at this moment; None for a guest."""
    if visitor.user_id is None:
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(visitor.session_key)
    user = get_user_model().objects.filter(pk=visitor.user_id, is_active=True).first()
    # An expired or flushed session is empty; a changed password changes the hash.
    if (
        user is None
        or session.get(SESSION_KEY) != str(user.pk)
        or not constant_time_compare(
            session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
        )
    ):
        raise Denied(SESSION_OVER)
    return user


def _sit(visitor: Visitor) -> None:
    seat = {
        "room": visitor.room,
        "user_id": visitor.user_id,
        "address": visitor.address,
        "seen_at": timezone.now(),
    }
    if not Seat.objects.filter(channel=visitor.channel).update(**seat):
        Seat.objects.create(channel=visitor.channel, **seat)


def _place(visitor: Visitor, back: int) -> int:
    """Id of the message that has `back` others after it; 0 where there are not so many."""
    ids = Message.objects.filter(room__name=visitor.room).order_by("-id").values_list("id")
    found = ids[back : back + 1]
    return found[0][0] if found else 0


def _as_sent(row: Message, reader) -> dict:
    sent = {
        "message": row.text,
        "id": row.id,
        "by": row.author.username if row.author else None,
        "at": row.written_at.isoformat(),
    }
    if row.key and row.author == reader:  # tells the author's client what has arrived
        sent["key"] = row.key
    return sent
