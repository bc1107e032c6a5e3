"""Lesson 21: whoever saves or deletes a post, and wherever, all who read the live blog are told."""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from db_demo.models import Post


@receiver(post_save, sender=Post)
def post_saved(sender, instance, **kwargs):
    """The row is there for this transaction alone; it may yet be rolled back."""
    tell_after_commit({"type": "post.saved", **instance.as_news()})


@receiver(post_delete, sender=Post)
def post_deleted(sender, instance, **kwargs):
    """Taken down now: once all is deleted, the instance has no id any more."""
    tell_after_commit({"type": "post.deleted", "id": instance.pk})


def tell_after_commit(message):
    """Nothing is sent for a transaction that is rolled back.

    robust: the post is saved by then, and whoever saved it gets no error if the layer is down.
    """
    transaction.on_commit(lambda: tell(message), robust=True)


def tell(message):
    async_to_sync(get_channel_layer().group_send)("liveblog", message)
