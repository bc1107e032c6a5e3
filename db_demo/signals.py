"""Lesson 21: signal receivers that notify the readers of the live blog of every change."""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from db_demo.models import Post


@receiver(post_save, sender=Post)
def post_saved(sender, instance, **kwargs):
    """Only this transaction sees the row yet, and it may still be rolled back."""
    send_after_commit({"type": "post.saved", **instance.as_message()})


@receiver(post_delete, sender=Post)
def post_deleted(sender, instance, **kwargs):
    """Read the id now: after the deletion, the instance has no id."""
    send_after_commit({"type": "post.deleted", "id": instance.pk})


def send_after_commit(message):
    """Send the message if the transaction is committed, not if it is rolled back.

    robust: the author of the post gets no error if the layer is unreachable.
    """
    transaction.on_commit(lambda: send(message), robust=True)


def send(message):
    async_to_sync(get_channel_layer().group_send)("liveblog", message)
