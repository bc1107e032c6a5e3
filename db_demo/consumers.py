"""The database behind a socket: one worked consumer for each of lessons 20 to 23."""

import json
import re
from urllib.parse import parse_qs

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from django.contrib.auth.models import Group

from db_demo.models import Entry, Post, Visit


class Guestbook(AsyncConsumer):
    """Lesson 20: three ways to ask the database, and no query runs on the loop."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        # As a call: the function goes in, and what comes out is called, and awaited.
        count = await database_sync_to_async(Group.objects.count)()
        await self.tell(f"{count} groups")

    async def websocket_receive(self, event):
        try:
            group = await self.find(event.get("text") or "")
        except Group.DoesNotExist:
            await self.tell("no such group")
            return
        # The async ORM: what asks at once has a name with an "a", and a queryset has async for.
        await Visit.objects.acreate(group=group)
        async for visit in Visit.objects.select_related("group").order_by("-id")[:3]:
            await self.tell(f"{visit.id}: {visit.group.name}")

    @database_sync_to_async
    def find(self, name):
        # As a decorator: all of this method runs in the thread, its caller awaits it.
        return Group.objects.get(name=name)

    async def tell(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class LiveBlog(AsyncConsumer):
    """Lesson 21: tells its client of each post that is written, changed or deleted, wherever."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("liveblog", self.channel_name)

    async def websocket_connect(self, event):
        # Join first, read then: what is saved in between comes twice, and is not missed.
        await self.channel_layer.group_add("liveblog", self.channel_name)
        await self.send({"type": "websocket.accept"})
        posts = [post.as_news() async for post in Post.objects.order_by("-id")[:50]]
        await self.tell({"type": "posts.all", "posts": posts[::-1]})

    async def websocket_receive(self, event):
        pass  # a reader has nothing to say

    async def post_saved(self, event):
        await self.tell(event)

    async def post_deleted(self, event):
        await self.tell(event)

    async def tell(self, news):
        await self.send({"type": "websocket.send", "text": json.dumps(news)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Logbook(AsyncConsumer):
    """Lesson 22: the layer rings, the database remembers; a client says what it has seen."""

    sent = None  # id of the entry that was sent last; until the client is in there is none

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("logbook", self.channel_name)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        after = query.get("after", ["0"])[0]
        if not re.fullmatch(r"[0-9]{1,18}", after):
            await self.send({"type": "websocket.close", "code": 4400})
            return
        self.sent = int(after)
        # First the group, then the history: what is saved in between rings.
        await self.channel_layer.group_add("logbook", self.channel_name)
        await self.send_what_is_new()

    async def websocket_receive(self, event):
        if event.get("text") and self.sent is not None:
            await Entry.objects.acreate(text=event["text"])
            await self.channel_layer.group_send("logbook", {"type": "logbook.bell"})

    async def logbook_bell(self, event):
        # Which entry it rings for does not matter: others may have rung, and not been heard.
        await self.send_what_is_new()

    async def send_what_is_new(self):
        async for entry in Entry.objects.filter(id__gt=self.sent).order_by("id"):
            frame = json.dumps({"id": entry.id, "text": entry.text})
            await self.send({"type": "websocket.send", "text": frame})
            self.sent = entry.id

    async def websocket_disconnect(self, event):
        raise StopConsumer()
