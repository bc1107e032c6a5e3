"""Lesson 19: what tells the open sockets that a login has ended, in whichever process it ended.

Connected by apps.py, in every process of the project: a command may deactivate a user, too.
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
    # The key is a secret, and a group's name stands in Redis and in transcripts.
    return f"session-{salted_hmac('auth_demo', key, algorithm='sha256').hexdigest()[:16]}"


@receiver(post_delete, sender=Session)
def tell_of_the_end(sender, instance, **kwargs):
    """A logout deletes its session; so does a change of the password."""
    tell(group_of_session(instance.session_key), "session.over")


@receiver(post_save, sender=get_user_model())
def tell_of_the_change(sender, instance, **kwargs):
    """Any change of a user: a new password, is_active, or the time of the last login."""
    tell(group_of_user(instance), "user.changed")


def tell(group, kind):
    """Once it is in the database; and where the layer is out of reach, a logout is one still."""
    send = async_to_sync(get_channel_layer().group_send)
    transaction.on_commit(lambda: send(group, {"type": kind}), robust=True)
