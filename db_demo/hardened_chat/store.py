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
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from db_demo.models import Membership, Message, Presence, Room

MAX_HISTORY = 50  # messages that a new client receives
MAX_REPLAY = 1_000  # messages that a returning client receives
PAGE_SIZE = 100  # messages in one query
PRESENCE_TIMEOUT = timedelta(seconds=30)  # after this time without a heartbeat, a row is stale
MAX_CONNECTIONS_PER_USER = 10
MAX_GUESTS_PER_ADDRESS = 500  # many guests may share one address

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


def add_presence(client: ChatClient) -> None:
    """Register the connection, if the client has access and not too many connections."""
    with transaction.atomic():
        user = check_access(client)
        Presence.objects.filter(seen_at__lt=timezone.now() - PRESENCE_TIMEOUT).delete()
        others = Presence.objects.filter(user=user)
        if user is None:
            others = others.filter(address=client.address)
        limit = MAX_GUESTS_PER_ADDRESS if user is None else MAX_CONNECTIONS_PER_USER
        if others.count() >= limit:
            raise AccessDenied(TOO_MANY)
        _save_presence(client)


def refresh_presence(client: ChatClient) -> None:
    """Record that the client is still connected, if it still has access."""
    check_access(client)
    _save_presence(client)


def delete_presence(client: ChatClient) -> None:
    Presence.objects.filter(channel=client.channel).delete()


def present_users(client: ChatClient) -> dict:
    """Return the users in the room, each name once, and the number of guests."""
    cutoff = timezone.now() - PRESENCE_TIMEOUT
    present = Presence.objects.filter(room=client.room, seen_at__gte=cutoff)
    names = present.exclude(user=None).values_list("user__username", flat=True)
    return {"here": sorted(set(names)), "guests": present.filter(user=None).count()}


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
    user = check_access(client)
    rows = Message.objects.filter(room__name=client.room, id__gt=last).order_by("id")
    return [_as_json(row, user) for row in rows.select_related("author")[:PAGE_SIZE]]


def save_message(client: ChatClient, text: str, key: str) -> None:
    """Save the message, but only once per key: a client without an answer sends it again."""
    with transaction.atomic():
        user = check_access(client)
        Room.objects.get_or_create(name=client.room)  # the first message creates an open room
        # Lock the room, so that its messages are committed in the order of their ids.
        room = Room.objects.select_for_update().get(name=client.room)
        if key and room.messages.filter(author=user, key=key).exists():
            return
        room.messages.create(author=user, text=text, key=key)


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


def _as_json(row: Message, reader) -> dict:
    data = {
        "message": row.text,
        "id": row.id,
        "by": row.author.username if row.author else None,
        "at": row.written_at.isoformat(),
    }
    if row.key and row.author == reader:  # confirms to the author's client what was saved
        data["key"] = row.key
    return data
