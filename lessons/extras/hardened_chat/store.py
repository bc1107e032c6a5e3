"""The chat's database queries. These are plain functions; the consumers call them in a thread.

Each function that reads or writes for a client first checks the client's rights again. A session
can end, a password can change and a membership can be deleted while the socket is open.
"""

from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Left
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from db_demo.models import Membership, Message, Room
from lessons.extras.hardened_chat.frames import MAX_MESSAGE_LENGTH, InvalidFrame
from lessons.extras.hardened_chat.rate_limit import take
from lessons.extras.models import Presence

MAX_HISTORY = 50  # messages that a new client receives
MAX_REPLAY = 1_000  # messages that a returning client receives
PAGE_SIZE = 50  # messages in one query
PRESENCE_TIMEOUT = timedelta(seconds=30)  # after this time without a heartbeat, a row is stale
MAX_CONNECTIONS_PER_USER = 10
MAX_GUESTS_PER_ADDRESS = 500  # many guests may share one address
GUEST_MESSAGES_PER_MINUTE = 120  # of all guests at one address
ROOMS_PER_DAY = 20  # that one user, or the guests at one address, may create
MAX_NAMES = 200  # of present users, in one frame

SESSION_OVER, FORBIDDEN, TOO_MANY = 4401, 4403, 4429


class AccessDenied(Exception):
    """The client has no access. The server closes the connection with `code`."""

    def __init__(self, code: int):
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class ChatClient:
    """One connection to one room, as the handshake described it. Its rights may change later."""

    room: str
    channel: str
    address: str
    user_id: int | None  # None: a guest
    session_key: str | None


def join(client: ChatClient, seen: int | None) -> tuple[int, list[dict]]:
    """Register the connection, if the client has access and not too many connections.

    Returns the id of the message after which its history begins, and the first page after it. All
    of this is one function, because each call costs a trip to the database thread.
    """
    with transaction.atomic():
        user = check_access(client)
        others = Presence.objects.filter(user=user, seen_at__gte=_presence_cutoff())
        if user is None:
            others = others.filter(address=client.address)
        limit = MAX_GUESTS_PER_ADDRESS if user is None else MAX_CONNECTIONS_PER_USER
        if others.count() >= limit:
            raise AccessDenied(TOO_MANY)
        _save_presence(client)
    position = first_position(client, seen)
    return position, _page_after(client, position)


def refresh(client: ChatClient, last: int) -> list[dict]:
    """Record that the client is still connected, if it still has access.

    Returns the next page of messages after the one with id `last`.
    """
    check_access(client)
    _save_presence(client)
    return _page_after(client, last)


def delete_presence(client: ChatClient) -> None:
    Presence.objects.filter(channel=client.channel).delete()


def present_users(room: str) -> dict:
    """Return the users in the room, each name once, and the number of guests.

    `more` is the number of users without a name in the list. Stale rows are deleted.
    """
    Presence.objects.filter(seen_at__lt=_presence_cutoff()).delete()
    present = Presence.objects.filter(room=room)
    names = present.exclude(user=None).values_list("user__username", flat=True)
    names = sorted(set(names))
    users = {"here": names[:MAX_NAMES], "guests": present.filter(user=None).count()}
    return users | ({"more": len(names) - MAX_NAMES} if len(names) > MAX_NAMES else {})


def first_position(client: ChatClient, seen: int | None) -> int:
    """Return the id of the message after which the client's history begins.

    `seen` is the id of the client's last message, 0 for a new client, None for a client that wants
    no history.
    """
    if seen is None:
        return _position_from_end(client, 0)
    if seen == 0:
        return _position_from_end(client, MAX_HISTORY)
    return max(min(seen, _position_from_end(client, 0)), _position_from_end(client, MAX_REPLAY))


def messages_after(client: ChatClient, last: int) -> list[dict]:
    """Return the next page of messages after the one with id `last`, oldest first."""
    check_access(client)
    return _page_after(client, last)


def save_message(client: ChatClient, text: str, key: str) -> int:
    """Save the message, but only once per key: a client without an answer sends it again.

    Returns its id. Raises InvalidFrame at a limit.
    """
    with transaction.atomic():
        user = check_access(client)
        room = _room_for_message(client, key)
        found = room.messages.filter(author=user, key=key).first() if key else None
        if found is not None:
            return found.id
        if user is None and not take(f"messages {client.address}", GUEST_MESSAGES_PER_MINUTE, 60):
            raise InvalidFrame("Too many messages of guests at your address: wait a minute.")
        return room.messages.create(author=user, text=text, key=key).id


def _room_for_message(client: ChatClient, key: str) -> Room:
    """Return the room. The first message creates an open room."""
    # Lock the room, so that its messages are committed in the order of their ids.
    locked = Room.objects.select_for_update()
    room = locked.filter(name=client.room).first()
    if room is None:
        creator = client.address if client.user_id is None else f"user {client.user_id}"
        if not take(f"rooms {creator}", ROOMS_PER_DAY, 24 * 3600):
            raise InvalidFrame(f"You may create {ROOMS_PER_DAY} rooms in a day at most.", key)
        Room.objects.get_or_create(name=client.room)
        room = locked.get(name=client.room)
    return room


def check_access(client: ChatClient):
    """Return the client's user, None for a guest. Raises AccessDenied."""
    user = _session_user(client)
    room = Room.objects.filter(name=client.room).first()
    if room is not None and room.is_private:
        members = Membership.objects.filter(room=room, user_id=client.user_id)
        if user is None or not members.exists():
            raise AccessDenied(FORBIDDEN)
    return user


def _session_user(client: ChatClient):
    """Return the user of the client's session as it is now, None for a guest."""
    if client.user_id is None:
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(client.session_key)
    user = get_user_model().objects.filter(pk=client.user_id, is_active=True).first()
    # An expired or deleted session is empty. A new password changes the hash.
    if (
        user is None
        or session.get(SESSION_KEY) != str(user.pk)
        or not constant_time_compare(
            session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
        )
    ):
        raise AccessDenied(SESSION_OVER)
    return user


def _presence_cutoff():
    return timezone.now() - PRESENCE_TIMEOUT


def _save_presence(client: ChatClient) -> None:
    values = {
        "room": client.room,
        "user_id": client.user_id,
        "address": client.address,
        "seen_at": timezone.now(),
    }
    if not Presence.objects.filter(channel=client.channel).update(**values):
        Presence.objects.create(channel=client.channel, **values)


def _position_from_end(client: ChatClient, count: int) -> int:
    """Return the id of the message that has `count` newer ones, or 0 if there are fewer."""
    ids = Message.objects.filter(room__name=client.room).order_by("-id").values_list("id")
    found = ids[count : count + 1]
    return found[0][0] if found else 0


def _page_after(client: ChatClient, last: int) -> list[dict]:
    # Other programs may save longer texts. The database cuts them, so no frame becomes too long.
    rows = Message.objects.filter(room__name=client.room, id__gt=last).order_by("id")
    columns = rows.annotate(
        message=Left("text", MAX_MESSAGE_LENGTH), by=F("author__username"), at=F("written_at")
    ).values("message", "id", "by", "at")
    return [row | {"at": row["at"].isoformat()} for row in columns[:PAGE_SIZE]]
