"""Lesson 20: the classic wrong versions of the ticker."""

import json
from functools import partial

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_save

from db_demo.models import Post


class RightTicker(AsyncConsumer):
    """The complete and right ticker. Each version below spoils one function."""

    @classmethod
    def ready(cls):
        # The class keeps the receivers, because a signal only keeps weak references.
        cls.receivers = [partial(cls.post_saved), partial(cls.post_deleted)]
        post_save.connect(cls.receivers[0], sender=Post)
        post_delete.connect(cls.receivers[1], sender=Post)

    @classmethod
    def post_saved(cls, sender, instance, **kwargs):
        cls.send_after_commit({"saved": instance.pk, "title": instance.title})

    @classmethod
    def post_deleted(cls, sender, instance, **kwargs):
        cls.send_after_commit({"deleted": instance.pk})

    @classmethod
    def send_after_commit(cls, news):
        transaction.on_commit(partial(cls.send_news, news))

    @staticmethod
    def send_news(news):
        message = {"type": "ticker.news", "news": news}
        async_to_sync(get_channel_layer().group_send)("ticker", message)

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


class SendsAtOnce(RightTicker):
    """Sends before the commit. Other connections do not find the row yet."""

    diagnosis = "sent-inside-transaction"

    @classmethod
    def send_after_commit(cls, news):
        cls.send_news(news)


class CollectsTheNews(RightTicker):
    """Collects the news, and sends all of it after a commit, also what was rolled back."""

    diagnosis = "sent-for-rolled-back"

    @classmethod
    def ready(cls):
        cls.collected = []
        super().ready()

    @classmethod
    def send_after_commit(cls, news):
        cls.collected.append(news)
        transaction.on_commit(cls.send_all)

    @classmethod
    def send_all(cls):
        while cls.collected:
            cls.send_news(cls.collected.pop(0))


class CallsTheFunction(RightTicker):
    """Calls the function, and gives its result to on_commit."""

    diagnosis = "on-commit-called"

    @classmethod
    def send_after_commit(cls, news):
        transaction.on_commit(cls.send_news(news))


class ForgetsAsyncToSync(RightTicker):
    """Calls group_send in sync code, as if it were a sync function."""

    diagnosis = "never-awaited"

    @staticmethod
    def send_news(news):
        get_channel_layer().group_send("ticker", {"type": "ticker.news", "news": news})


class JoinsWithAsyncToSync(RightTicker):
    """Believes that each call to the layer needs async_to_sync, in async code too."""

    diagnosis = "async-to-sync-in-loop"

    async def websocket_connect(self, event):
        async_to_sync(self.channel_layer.group_add)("ticker", self.channel_name)
        await self.send({"type": "websocket.accept"})


class ReadsTheIdTooLate(RightTicker):
    """Reads the id at the commit, when Django has removed it from the deleted instance."""

    diagnosis = "deleted-without-id"

    @classmethod
    def post_deleted(cls, sender, instance, **kwargs):
        transaction.on_commit(lambda: cls.send_news({"deleted": instance.pk}))


class SendsTheInstance(RightTicker):
    """Sends the instance, and lets the consumer choose its fields."""

    diagnosis = "not-serializable"

    @classmethod
    def post_saved(cls, sender, instance, **kwargs):
        cls.send_after_commit(instance)

    async def ticker_news(self, event):
        post = event["news"]
        await super().ticker_news({"news": {"saved": post.pk, "title": post.title}})


class IgnoresDeletions(RightTicker):
    """Believes that a deletion sends post_save, too."""

    diagnosis = "news-not-sent"

    @classmethod
    def post_deleted(cls, sender, instance, **kwargs):
        pass


class ListensBeforeTheSave(RightTicker):
    """Connects pre_save. A new post has no id yet."""

    diagnosis = "notified-before-save"

    @classmethod
    def ready(cls):
        cls.receivers = [partial(cls.post_saved), partial(cls.post_deleted)]
        pre_save.connect(cls.receivers[0], sender=Post)
        post_delete.connect(cls.receivers[1], sender=Post)


class ListensToAllTables(RightTicker):
    """Connects without a sender: a save of any model looks like a post."""

    diagnosis = "notified-for-other-models"

    @classmethod
    def ready(cls):
        cls.receivers = [partial(cls.post_saved), partial(cls.post_deleted)]
        post_save.connect(cls.receivers[0])
        post_delete.connect(cls.receivers[1])

    @classmethod
    def post_saved(cls, sender, instance, **kwargs):
        cls.send_after_commit({"saved": instance.pk, "title": str(instance)})


class ConnectsALambda(RightTicker):
    """Connects functions that no code keeps. A signal only keeps weak references."""

    diagnosis = "receiver-gone"

    @classmethod
    def ready(cls):
        post_save.connect(lambda **kwargs: cls.post_saved(**kwargs), sender=Post)
        post_delete.connect(lambda **kwargs: cls.post_deleted(**kwargs), sender=Post)


class ConnectsForEachClient(RightTicker):
    """Connects new receivers for each client. Each receiver notifies all clients."""

    diagnosis = "notified-twice"

    async def websocket_connect(self, event):
        self.ready()
        type(self).kept = [*getattr(self, "kept", []), *self.receivers]
        await super().websocket_connect(event)


class NeverLeaves(RightTicker):
    """Joins, and never leaves: the group keeps clients that have disconnected."""

    diagnosis = "group-leak"

    async def __call__(self, scope, receive, send):
        await AsyncConsumer.__call__(self, scope, receive, send)
