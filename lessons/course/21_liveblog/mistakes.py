"""Lesson 21: the classic wrong versions of the ticker."""

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
    """The whole ticker, and right; each version below spoils one function of it."""

    @classmethod
    def ready(cls):
        # Kept on the class: a signal holds its receivers weakly.
        cls.receivers = [partial(cls.post_saved), partial(cls.post_deleted)]
        post_save.connect(cls.receivers[0], sender=Post)
        post_delete.connect(cls.receivers[1], sender=Post)

    @classmethod
    def post_saved(cls, sender, instance, **kwargs):
        cls.announce({"saved": instance.pk, "title": instance.title})

    @classmethod
    def post_deleted(cls, sender, instance, **kwargs):
        cls.announce({"deleted": instance.pk})

    @classmethod
    def announce(cls, news):
        transaction.on_commit(partial(cls.tell, news))

    @staticmethod
    def tell(news):
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
    """Takes what is saved for committed; others who look for the row now find none."""

    diagnosis = "sent-inside-transaction"

    @classmethod
    def announce(cls, news):
        cls.tell(news)


class CollectsTheNews(RightTicker):
    """Collects the news and sends all of it after a commit; what was rolled back is in it still."""

    diagnosis = "sent-for-rolled-back"

    @classmethod
    def ready(cls):
        cls.collected = []
        super().ready()

    @classmethod
    def announce(cls, news):
        cls.collected.append(news)
        transaction.on_commit(cls.tell_all)

    @classmethod
    def tell_all(cls):
        while cls.collected:
            cls.tell(cls.collected.pop(0))


class CallsTell(RightTicker):
    """Calls the function and gives on_commit what it returned."""

    diagnosis = "on-commit-called"

    @classmethod
    def announce(cls, news):
        transaction.on_commit(cls.tell(news))


class ForgetsAsyncToSync(RightTicker):
    """Calls group_send from sync code, as any function."""

    diagnosis = "never-awaited"

    @staticmethod
    def tell(news):
        get_channel_layer().group_send("ticker", {"type": "ticker.news", "news": news})


class JoinsWithAsyncToSync(RightTicker):
    """Has seen async_to_sync where news are sent, and takes it for the way to call the layer."""

    diagnosis = "async-to-sync-in-loop"

    async def websocket_connect(self, event):
        async_to_sync(self.channel_layer.group_add)("ticker", self.channel_name)
        await self.send({"type": "websocket.accept"})


class ReadsTheIdTooLate(RightTicker):
    """Reads the instance at the commit, when Django has taken the id of what is deleted."""

    diagnosis = "deleted-without-id"

    @classmethod
    def post_deleted(cls, sender, instance, **kwargs):
        transaction.on_commit(lambda: cls.tell({"deleted": instance.pk}))


class SendsTheInstance(RightTicker):
    """Sends the post itself, and lets the consumer choose what to tell of it."""

    diagnosis = "not-serializable"

    @classmethod
    def post_saved(cls, sender, instance, **kwargs):
        cls.announce(instance)

    async def ticker_news(self, event):
        post = event["news"]
        await super().ticker_news({"news": {"saved": post.pk, "title": post.title}})


class SaysNothingOfDeletions(RightTicker):
    """Believes that post_save hears of all that happens to a post."""

    diagnosis = "news-not-sent"

    @classmethod
    def post_deleted(cls, sender, instance, **kwargs):
        pass


class ListensBeforeTheSave(RightTicker):
    """Listens to pre_save, when a new post has no id yet."""

    diagnosis = "notified-before-save"

    @classmethod
    def ready(cls):
        cls.receivers = [partial(cls.post_saved), partial(cls.post_deleted)]
        pre_save.connect(cls.receivers[0], sender=Post)
        post_delete.connect(cls.receivers[1], sender=Post)


class ListensToAllTables(RightTicker):
    """Connects without a sender: every model that is saved is taken for a post."""

    diagnosis = "notified-for-other-models"

    @classmethod
    def ready(cls):
        cls.receivers = [partial(cls.post_saved), partial(cls.post_deleted)]
        post_save.connect(cls.receivers[0])
        post_delete.connect(cls.receivers[1])

    @classmethod
    def post_saved(cls, sender, instance, **kwargs):
        cls.announce({"saved": instance.pk, "title": str(instance)})


class ConnectsALambda(RightTicker):
    """Connects functions that nobody keeps; a signal holds its receivers weakly."""

    diagnosis = "receiver-gone"

    @classmethod
    def ready(cls):
        post_save.connect(lambda **kwargs: cls.post_saved(**kwargs), sender=Post)
        post_delete.connect(lambda **kwargs: cls.post_deleted(**kwargs), sender=Post)


class ConnectsForEachClient(RightTicker):
    """Connects where a client does: a receiver more for each, and each tells all of them."""

    diagnosis = "notified-twice"

    async def websocket_connect(self, event):
        self.ready()
        type(self).kept = [*getattr(self, "kept", []), *self.receivers]
        await super().websocket_connect(event)


class LeavesNobody(RightTicker):
    """Joins, and never leaves: the group grows with each client that has come and gone."""

    diagnosis = "group-leak"

    async def __call__(self, scope, receive, send):
        await AsyncConsumer.__call__(self, scope, receive, send)
