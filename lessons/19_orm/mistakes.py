"""Lesson 19: the classic wrong versions of the reading room."""

import asyncio
import os

from asgiref.sync import sync_to_async
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from django.contrib.auth.models import Group
from django.db import transaction

from db_demo.models import Post


class RightRoom(AsyncConsumer):
    """The complete and right reading room. Each version below spoils one method."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        try:
            lines = await self.lines_of(event.get("text") or "")
        except Group.DoesNotExist:
            await self.send_text("no such group")
            return
        for line in lines or ["no posts"]:
            await self.send_text(line)

    async def lines_of(self, name):
        return await database_sync_to_async(self.query)(name)

    def query(self, name):
        return [f"{post.title}, by {post.author.username}" for post in self.posts_of(name)]

    def posts_of(self, name):
        return Post.objects.filter(author__groups=Group.objects.get(name=name))

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class AsksOnTheLoop(RightRoom):
    """Believes that the ORM works in async code as it does in a view."""

    diagnosis = "orm-in-async"

    async def lines_of(self, name):
        return self.query(name)


class ReturnsTheQuerySet(RightRoom):
    """Believes that the queryset has its rows. It makes its query later, in the loop."""

    diagnosis = "lazy-queryset"

    async def lines_of(self, name):
        posts = await database_sync_to_async(self.posts_of)(name)
        return [f"{post.title}, by {post.author.username}" for post in posts]


class FetchesNoAuthors(RightRoom):
    """Gets a list from the thread, but makes a query for each author on the event loop."""

    diagnosis = "unfetched-relation"

    async def lines_of(self, name):
        posts = await database_sync_to_async(lambda: list(self.posts_of(name)))()
        return [f"{post.title}, by {post.author.username}" for post in posts]


class CallsTheFunction(RightRoom):
    """Calls the function on the event loop, and passes its result."""

    diagnosis = "called-not-passed"

    async def lines_of(self, name):
        return await database_sync_to_async(self.query(name))


class WrapsTheAsyncORM(RightRoom):
    """Believes that aget() needs the wrapper, as get() does."""

    diagnosis = "async-orm-in-thread"

    async def lines_of(self, name):
        group = await database_sync_to_async(Group.objects.aget)(name=name)
        posts = Post.objects.filter(author__groups=group).select_related("author")
        return [f"{post.title}, by {post.author.username}" async for post in posts]


class ForgetsTheCall(RightRoom):
    """Awaits the wrapped function, but does not call it."""

    diagnosis = "not-called"

    async def lines_of(self, name):
        return await database_sync_to_async(self.query)


class ForgetsTheAwait(RightRoom):
    """Loops over the coroutine, because the await is missing."""

    diagnosis = "never-awaited"

    async def websocket_receive(self, event):
        for line in self.lines_of(event.get("text") or "") or ["no posts"]:
            await self.send_text(line)


class TakesAnyThread(RightRoom):
    """Uses sync_to_async and threads of a pool, where no code closes a connection."""

    diagnosis = "connection-left-open"

    async def lines_of(self, name):
        return await sync_to_async(self.query, thread_sensitive=False)(name)


class SilencesDjango(RightRoom):
    """Switches the exception off. Now the queries block the event loop."""

    diagnosis = "query-on-loop"

    async def lines_of(self, name):
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        try:
            return self.query(name)
        finally:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class ExpectsTheRow(RightRoom):
    """Believes that clients only name groups that exist."""

    diagnosis = "missing-row"

    async def websocket_receive(self, event):
        for line in await self.lines_of(event.get("text") or "") or ["no posts"]:
            await self.send_text(line)


class EndsOnAMissingRow(RightRoom):
    """Closes the connection after a wrong name, instead of an answer."""

    diagnosis = "closed-early"

    async def send_text(self, text):
        if text == "no such group":
            await self.send({"type": "websocket.close", "code": 4004})
        else:
            await super().send_text(text)


class FiltersByTheName(RightRoom):
    """Filters posts by the group's name. A missing group then looks like one without posts."""

    diagnosis = "reply-differs"

    def posts_of(self, name):
        return Post.objects.filter(author__groups__name=name)


class KeepsTheRows(RightRoom):
    """Keeps querysets on the class. A queryset keeps its rows after the first loop."""

    diagnosis = "stale-rows"
    answers = {}

    def posts_of(self, name):
        if name not in self.answers:
            self.answers[name] = super().posts_of(name)
        return self.answers[name]
