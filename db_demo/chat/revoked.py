"""Tells open sockets at once that what they were let in with may be no more.

A logout, a password, an account, a membership, a room: whatever has changed, the message says look
again, and each consumer that it reaches asks the database, as it does at each beat.
"""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from db_demo.models import Membership, Room


def connect() -> None:
    """Connect the receivers; called once, when all models are there."""
    for signal, model, receiver in (
        (post_delete, Session, _session_ended),
        (post_save, get_user_model(), _user_changed),
        (post_delete, get_user_model(), _user_changed),
        (post_delete, Membership, _member_left),
        (post_save, Room, _room_changed),
        (post_delete, Room, _room_changed),
    ):
        signal.connect(receiver, model, dispatch_uid=f"{__name__}.{signal}.{receiver.__name__}")


def user_group(user_id) -> str:
    return f"chat-user-{user_id}"


def room_group(name) -> str:
    return f"chat-room-{name}"


def _session_ended(instance, **kwargs):
    user_id = instance.get_decoded().get(SESSION_KEY)
    if user_id is not None:
        _look_again(user_group(user_id))


def _user_changed(instance, **kwargs):
    _look_again(user_group(instance.pk))


def _member_left(instance, **kwargs):
    _look_again(user_group(instance.user_id))


def _room_changed(instance, **kwargs):
    _look_again(room_group(instance.name))


def _look_again(group: str) -> None:
    # After the commit: who looks before it sees what was. robust: nobody is kept from logging out
    # by a layer that is away; the next beat comes.
    transaction.on_commit(lambda: _send(group), robust=True)


def _send(group: str) -> None:
    async_to_sync(get_channel_layer().group_send)(group, {"type": "chat.beat"})
