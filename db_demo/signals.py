"""Lesson 20: a signal receiver that notifies the live blog of every change of a post."""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from db_demo.models import Post


@receiver([post_save, post_delete], sender=Post)
def post_changed(sender, instance, **kwargs):
    """Send the id of the post after the commit. The readers' consumers then read the row.

    robust: the author of the post gets no error if the layer is unreachable.
    """
    # Read the id now: at the commit, a deleted instance has no id.
    message = {"type": "post.changed", "id": instance.pk}
    transaction.on_commit(lambda: send(message), robust=True)


def send(message):
    async_to_sync(get_channel_layer().group_send)("liveblog", message)
