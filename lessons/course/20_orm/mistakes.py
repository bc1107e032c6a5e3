"""Lesson 20: the classic wrong versions of the reading room."""

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
    """The whole reading room, and right; each version below spoils one method."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        try:
            lines = await self.lines_of(event.get("text") or "")
        except Group.DoesNotExist:
            await self.tell("no such group")
            return
        for line in lines or ["no posts"]:
            await self.tell(line)

    async def lines_of(self, name):
        return await database_sync_to_async(self.query)(name)

    def query(self, name):
        return [f"{post.title}, by {post.author.username}" for post in self.posts_of(name)]

    def posts_of(self, name):
        return Post.objects.filter(author__groups=Group.objects.get(name=name))

    async def tell(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class AsksOnTheLoop(RightRoom):
    """Believes that the ORM may be called anywhere, since it may in a view."""

    diagnosis = "orm-in-async"

    async def lines_of(self, name):
        return self.query(name)


class ReturnsTheQuerySet(RightRoom):
    """Takes a queryset for its rows; it is made in the thread, and asks where it is looped over."""

    diagnosis = "lazy-queryset"

    async def lines_of(self, name):
        posts = await database_sync_to_async(self.posts_of)(name)
        return [f"{post.title}, by {post.author.username}" for post in posts]


class FetchesNoAuthors(RightRoom):
    """Gets a list out of the thread, and then each author where it is named."""

    diagnosis = "unfetched-relation"

    async def lines_of(self, name):
        posts = await database_sync_to_async(lambda: list(self.posts_of(name)))()
        return [f"{post.title}, by {post.author.username}" for post in posts]


class CallsTheFunction(RightRoom):
    """Calls the function, on the loop, and passes on what it would have returned."""

    diagnosis = "called-not-passed"

    async def lines_of(self, name):
        return await database_sync_to_async(self.query(name))


class WrapsTheAsyncORM(RightRoom):
    """Believes that all of the ORM needs the wrapper, aget() as well as get()."""

    diagnosis = "async-orm-in-thread"

    async def lines_of(self, name):
        group = await database_sync_to_async(Group.objects.aget)(name=name)
        posts = Post.objects.filter(author__groups=group).select_related("author")
        return [f"{post.title}, by {post.author.username}" async for post in posts]


class ForgetsTheCall(RightRoom):
    """Wraps the function and awaits the wrapped one, which nobody has called."""

    diagnosis = "not-called"

    async def lines_of(self, name):
        return await database_sync_to_async(self.query)


class ForgetsTheAwait(RightRoom):
    """Takes the coroutine for the list."""

    diagnosis = "never-awaited"

    async def websocket_receive(self, event):
        for line in self.lines_of(event.get("text") or "") or ["no posts"]:
            await self.tell(line)


class TakesAnyThread(RightRoom):
    """Takes plain sync_to_async and a thread of the pool, where no connection is ever closed."""

    diagnosis = "connection-left-open"

    async def lines_of(self, name):
        return await sync_to_async(self.query, thread_sensitive=False)(name)


class SilencesDjango(RightRoom):
    """Takes the exception for overcautious, and switches it off; now queries hold up the loop."""

    diagnosis = "query-on-loop"

    async def lines_of(self, name):
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        try:
            return self.query(name)
        finally:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class ExpectsTheRow(RightRoom):
    """Believes that a client asks only for what there is."""

    diagnosis = "missing-row"

    async def websocket_receive(self, event):
        for line in await self.lines_of(event.get("text") or "") or ["no posts"]:
            await self.tell(line)


class EndsOnAMissingRow(RightRoom):
    """Closes the connection of a client that has made a typing error."""

    diagnosis = "closed-early"

    async def tell(self, text):
        if text == "no such group":
            await self.send({"type": "websocket.close", "code": 4004})
        else:
            await super().tell(text)


class TakesNothingForNoRow(RightRoom):
    """Filters by the name of the group, and so cannot tell an empty group from one that is not."""

    diagnosis = "reply-differs"

    def posts_of(self, name):
        return Post.objects.filter(author__groups__name=name)


class KeepsTheRows(RightRoom):
    """Keeps the answers for all who ask: a queryset keeps its rows once it has been looped over."""

    diagnosis = "stale-rows"
    answers = {}

    def posts_of(self, name):
        if name not in self.answers:
            self.answers[name] = super().posts_of(name)
        return self.answers[name]
