"""Signal receivers that make open connections check at once whether they may stay.

A session, a user, a membership or a room has changed. The message does not say what changed. Each
consumer that receives it asks the database, as it does at each heartbeat.
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
def _session_deleted(instance, **kwargs):
    user_id = instance.get_decoded().get(SESSION_KEY)
    if user_id is not None:
        _request_check(user_group(user_id))


@receiver([post_save, post_delete], sender=get_user_model())
def _user_changed(instance, **kwargs):
    _request_check(user_group(instance.pk))


@receiver(post_delete, sender=Membership)
def _membership_deleted(instance, **kwargs):
    _request_check(user_group(instance.user_id))


@receiver([post_save, post_delete], sender=Room)
def _room_changed(instance, **kwargs):
    _request_check(room_group(instance.name))


def _request_check(group: str) -> None:
    # After the commit, because a consumer that checks earlier reads the old rows. robust: a logout
    # also succeeds if the layer is unreachable; then the next heartbeat makes the check.
    transaction.on_commit(lambda: _send(group), robust=True)


def _send(group: str) -> None:
    async_to_sync(get_channel_layer().group_send)(group, {"type": "chat.check"})
