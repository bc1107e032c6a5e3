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
from django.dispatch import receiver

from db_demo.models import Membership, Room


def user_group(user_id) -> str:
    return f"chat-user-{user_id}"


def room_group(name) -> str:
    return f"chat-room-{name}"


@receiver(post_delete, sender=Session)
def _session_ended(instance, **kwargs):
    user_id = instance.get_decoded().get(SESSION_KEY)
    if user_id is not None:
        _look_again(user_group(user_id))


@receiver([post_save, post_delete], sender=get_user_model())
def _user_changed(instance, **kwargs):
    _look_again(user_group(instance.pk))


@receiver(post_delete, sender=Membership)
def _member_left(instance, **kwargs):
    _look_again(user_group(instance.user_id))


@receiver([post_save, post_delete], sender=Room)
def _room_changed(instance, **kwargs):
    _look_again(room_group(instance.name))


def _look_again(group: str) -> None:
    # After the commit: who looks before it sees what was. robust: nobody is kept from logging out
    # by a layer that is away; the next beat comes.
    transaction.on_commit(lambda: _send(group), robust=True)


def _send(group: str) -> None:
    async_to_sync(get_channel_layer().group_send)(group, {"type": "chat.beat"})
