"""Lesson 23: the chat's queries. Each function runs in a thread; the consumers await it."""

import re
from datetime import timedelta

from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.db.models import F, Max
from django.utils import timezone

from db_demo.models import Message, Presence, Room

ROOM_NAME = "[a-zA-Z0-9_-]{1,50}"  # fits into a URL, the name of a group and the table
PRESENCE_TIMEOUT = timedelta(seconds=30)  # three heartbeats


@database_sync_to_async
def is_open(room) -> bool:
    """Whether every client may join. Private rooms need more checks."""
    return (
        bool(re.fullmatch(ROOM_NAME, room))
        and not Room.objects.filter(name=room, is_private=True).exists()
    )


@database_sync_to_async
def save_message(room, user, text):
    row, _ = Room.objects.get_or_create(name=room)
    row.messages.create(author=_account(user), text=text)


@database_sync_to_async
def last_id(room) -> int:
    return Message.objects.filter(room__name=room).aggregate(last=Max("id"))["last"] or 0


@database_sync_to_async
def messages_after(room, last) -> list[dict]:
    """Return the messages that a client with this last id does not have, as JSON objects."""
    rows = Message.objects.filter(room__name=room, id__gt=last).order_by("id")
    return list(rows.values("id", message=F("text"), by=F("author__username")))


@database_sync_to_async
def save_presence(channel, room, user):
    values = {"room": room, "user": _account(user), "seen_at": timezone.now()}
    Presence.objects.update_or_create(channel=channel, defaults=values)


@database_sync_to_async
def delete_presence(channel):
    Presence.objects.filter(channel=channel).delete()


@database_sync_to_async
def present_users(room) -> dict:
    """Return the names, each once, and the number of guests."""
    rows = Presence.objects.filter(room=room, seen_at__gte=timezone.now() - PRESENCE_TIMEOUT)
    names = rows.exclude(user=None).values_list("user__username", flat=True)
    return {"here": sorted(set(names)), "guests": rows.filter(user=None).count()}


def _account(user):
    """Return the user's row. None: a guest, or an account that was deleted since the handshake."""
    return get_user_model().objects.filter(pk=user.pk).first()
