"""Lesson 21: a signal receiver that notifies open connections when their session ends.

apps.py connects it in every process, because a management command can end a session too.
"""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils.crypto import salted_hmac


def group_of_session(key):
    # The session key is secret, but a group's name is visible in Redis and in transcripts.
    return f"session-{salted_hmac('auth_demo', key, algorithm='sha256').hexdigest()[:16]}"


@receiver(post_delete, sender=Session)
def session_deleted(sender, instance, **kwargs):
    """Notify the group of this session after the commit."""
    send = async_to_sync(get_channel_layer().group_send)
    group = group_of_session(instance.session_key)
    # robust: a logout also succeeds if the channel layer is unreachable.
    transaction.on_commit(lambda: send(group, {"type": "session.over"}), robust=True)
