"""Lesson 21: a ticker that tells each client of every post that is saved or deleted.

Whoever saves a post, wherever in the project, each client gets a text frame with the JSON
`{"saved": 7, "title": "Rain"}`; for one that is deleted, `{"deleted": 7}`. A client is told once,
when the transaction has been committed, and of what is rolled back it is never told. Other tables
are nobody's news. What sends no signal, such as `Post.objects.update()`, is left out.

`ready()` is called once, as AppConfig.ready() is.
"""

import json
from functools import partial

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from db_demo.models import Post


def tell(message):
    async_to_sync(get_channel_layer().group_send)("ticker", message)


def post_saved(sender, instance, **kwargs):
    # TODO 1: it is saved, and yet it may be rolled back.
    tell({"type": "ticker.news", "news": {"saved": instance.pk, "title": instance.title}})


def ready():
    # TODO 2: deleted posts are news as well.
    post_save.connect(post_saved, sender=Post)


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
