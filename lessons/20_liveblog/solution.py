"""Lesson 20, solved: a ticker that notifies each client of every saved or deleted post."""

import json
from functools import partial

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from db_demo.models import Post


def send_news(message):
    async_to_sync(get_channel_layer().group_send)("ticker", message)


def send_after_commit(news):
    # The commit calls the function. A rollback does not. Outside a transaction, it runs at once.
    transaction.on_commit(partial(send_news, {"type": "ticker.news", "news": news}))


def post_saved(sender, instance, **kwargs):
    send_after_commit({"saved": instance.pk, "title": instance.title})


def post_deleted(sender, instance, **kwargs):
    # Read the id here: at the commit, the instance has no id.
    send_after_commit({"deleted": instance.pk})


def ready():
    post_save.connect(post_saved, sender=Post)
    post_delete.connect(post_deleted, sender=Post)


class Ticker(AsyncConsumer):
    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("ticker", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("ticker", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        pass

    async def ticker_news(self, event):
        await self.send({"type": "websocket.send", "text": json.dumps(event["news"])})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
