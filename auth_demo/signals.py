"""Lesson 19: signal receivers that notify open sockets when a login ends.

apps.py connects them in every process, because a management command can end a login too.
"""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils.crypto import salted_hmac


def group_of_user(user):
    return f"user-{user.pk}"


def group_of_session(key):
    # The session key is secret, but a group's name is visible in Redis and in transcripts.
    return f"session-{salted_hmac('auth_demo', key, algorithm='sha256').hexdigest()[:16]}"


@receiver(post_delete, sender=Session)
def session_deleted(sender, instance, **kwargs):
    """A logout deletes the session. A change of the password does so too."""
    send_after_commit(group_of_session(instance.session_key), "session.over")


@receiver(post_save, sender=get_user_model())
def user_saved(sender, instance, **kwargs):
    """Any change of a user: a new password, is_active, or the time of the last login."""
    send_after_commit(group_of_user(instance), "user.changed")


def send_after_commit(group, message_type):
    """Send when the database has the change.

    robust: a logout also succeeds if the channel layer is unreachable.
    """
    send = async_to_sync(get_channel_layer().group_send)
    transaction.on_commit(lambda: send(group, {"type": message_type}), robust=True)
