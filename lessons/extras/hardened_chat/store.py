"""The chat's database queries. These are plain functions; the consumer calls them in a thread.

Each function that reads or writes for a client first checks the client's rights again. A session
can end, a password can change and a membership can be deleted while the socket is open. Then it
raises AccessDenied. At a limit it raises Refused.
"""

from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Left
from django.http import HttpRequest
from django.utils import timezone

from db_demo.models import Message, Room
from lessons.extras.hardened_chat import client_input
from lessons.extras.hardened_chat.client_input import AccessDenied, ChatClient, Refused
from lessons.extras.models import Presence
from lessons.extras.shared_limit import take

MAX_HISTORY = 50  # messages that a new client receives
MAX_REPLAY = 1_000  # messages that a returning client receives
PAGE_SIZE = 50  # messages in one query
PRESENCE_TIMEOUT = timedelta(seconds=30)  # after this time without a heartbeat, a row is stale
MAX_CONNECTIONS_PER_USER = 10
MAX_GUESTS_PER_ADDRESS = 500  # many guests may share one address
GUEST_MESSAGES_PER_MINUTE = 120  # of all guests at one address
ROOMS_PER_DAY = 20  # that one user, or the guests at one address, may create
MAX_NAMES = 200  # of present users, in one frame


@transaction.atomic
def join(client: ChatClient) -> int:
    """Register the connection. Return the id of the message after which its history begins."""
    user = check_access(client)
    others = Presence.objects.filter(user=user, seen_at__gte=timezone.now() - PRESENCE_TIMEOUT)
    if user is None:
        others = others.filter(address=client.address)
    if others.count() >= (MAX_GUESTS_PER_ADDRESS if user is None else MAX_CONNECTIONS_PER_USER):
        raise AccessDenied(client_input.TOO_MANY)
    _save_presence(client)
    oldest = _id_from_end(client, MAX_REPLAY if client.seen else MAX_HISTORY)
    return max(oldest, min(client.seen, _id_from_end(client, 0)))


def refresh(client: ChatClient) -> dict:
    """Record that the client is connected. Return the users in its room, and the guests' number."""
    check_access(client)
    _save_presence(client)
    Presence.objects.filter(seen_at__lt=timezone.now() - PRESENCE_TIMEOUT).delete()
    present = Presence.objects.filter(room=client.room)
    names = set(present.exclude(user=None).values_list("user__username", flat=True))
    return {"here": sorted(names)[:MAX_NAMES], "guests": present.filter(user=None).count()}


def messages_after(client: ChatClient, last: int) -> list[dict]:
    """Return the next page of messages after the one with id `last`, oldest first."""
    check_access(client)
    rows = Message.objects.filter(room__name=client.room, id__gt=last).order_by("id")
    # Other programs may save longer texts. The database cuts them, so no frame becomes too long.
    message = Left("text", client_input.MAX_MESSAGE_LENGTH)
    rows = rows.values("id", message=message, by=F("author__username"), at=F("written_at"))
    return [row | {"at": row["at"].isoformat()} for row in rows[:PAGE_SIZE]]


@transaction.atomic
def save_message(client: ChatClient, text: str, key: str) -> int:
    """Save the message and return its id. A client without an answer repeats the key: save once."""
    user = check_access(client)
    # Lock the room, so that its messages are committed in the order of their ids.
    locked = Room.objects.select_for_update().filter(name=client.room)
    if not locked.exists():
        creator = client.address if user is None else f"user {user.pk}"
        if not take(f"rooms {creator}", ROOMS_PER_DAY, 24 * 3600):
            raise Refused(f"You may create {ROOMS_PER_DAY} rooms in a day at most.", key)
        Room.objects.get_or_create(name=client.room)
    room = locked.get()
    found = room.messages.filter(author=user, key=key).first() if key else None
    if found is not None:
        return found.id
    if user is None and not take(f"messages {client.address}", GUEST_MESSAGES_PER_MINUTE, 60):
        raise Refused("Too many messages of guests at your address: wait a minute.")
    return room.messages.create(author=user, text=text, key=key).id


def check_access(client: ChatClient):
    """Return the user of the client's session as it is now, None for a guest."""
    user = None
    if client.user_id is not None:
        request = HttpRequest()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore(client.session_key)
        user = get_user(request)  # checks expiry, is_active and the hash of the password
        if user.pk != client.user_id:
            raise AccessDenied(client_input.SESSION_OVER)
    private = Room.objects.filter(name=client.room, is_private=True).first()
    if private and not private.memberships.filter(user_id=client.user_id).exists():
        raise AccessDenied(client_input.FORBIDDEN)
    return user


def _save_presence(client: ChatClient) -> None:
    values = {"room": client.room, "user_id": client.user_id, "address": client.address}
    values["seen_at"] = timezone.now()
    Presence.objects.update_or_create(channel=client.channel, defaults=values)


def _id_from_end(client: ChatClient, count: int) -> int:
    """Return the id of the message that has `count` newer ones, or 0 if there are fewer."""
    rows = Message.objects.filter(room__name=client.room).order_by("-id")[count : count + 1]
    return rows[0].id if rows else 0
