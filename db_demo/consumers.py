"""Consumers that use the database, for lessons 19, 20, 22 and 28. The chat is in chat/."""

import json
import re
from urllib.parse import parse_qs

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from django.contrib.auth.models import Group
from django.db.models import Count, Max

from db_demo.models import Entry, Post, Visit


class Guestbook(AsyncConsumer):
    """Lesson 19: three ways to query the database. No query runs on the event loop."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        # 1. As a call: wrap the function, then call and await the result.
        count = await database_sync_to_async(Group.objects.count)()
        await self.send_text(f"{count} groups")

    async def websocket_receive(self, event):
        try:
            group = await self.find(event.get("text") or "")
        except Group.DoesNotExist:
            await self.send_text("no such group")
            return
        # 3. The async ORM: methods that query have the prefix "a". Querysets support async for.
        await Visit.objects.acreate(group=group)
        async for visit in Visit.objects.select_related("group").order_by("-id")[:3]:
            await self.send_text(f"{visit.id}: {visit.group.name}")

    @database_sync_to_async
    def find(self, name):
        # 2. As a decorator: the whole method runs in the thread, and the caller awaits it.
        return Group.objects.get(name=name)

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class LiveBlog(AsyncConsumer):
    """Lesson 20: sends each change of a post to its client, wherever the change was made."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("liveblog", self.channel_name)

    async def websocket_connect(self, event):
        # Join first, then read. A post that is saved in between comes twice but is never missed.
        await self.channel_layer.group_add("liveblog", self.channel_name)
        await self.send({"type": "websocket.accept"})
        posts = [post async for post in Post.objects.order_by("-id")[:50]]
        # Daphne sends frames of 1 MiB at most. A post always fits. Fifty posts may not.
        for post in reversed(posts):
            await self.send_post(post)

    async def websocket_receive(self, event):
        pass  # this consumer ignores all frames

    async def post_changed(self, event):
        # The message only has an id. What was committed is in the database.
        post = await Post.objects.filter(id=event["id"]).afirst()
        if post is None:
            await self.send_json({"type": "post.deleted", "id": event["id"]})
        else:
            await self.send_post(post)

    async def send_post(self, post):
        await self.send_json({"type": "post.saved", **post.as_message()})

    async def send_json(self, data):
        await self.send({"type": "websocket.send", "text": json.dumps(data)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class EntryCounter(AsyncConsumer):
    """Lesson 22: sends how many entries are newer than the last id that the client has read."""

    after = 0  # the last id that the client has read
    sent = None  # the last counts that were sent

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("entries", self.channel_name)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        after = query.get("after", ["0"])[0]
        if re.fullmatch(r"[0-9]{1,18}", after):
            self.after = int(after)
        # Join the group, then read. If an entry is saved in between, its message comes later.
        await self.channel_layer.group_add("entries", self.channel_name)
        await self.send_counts()

    async def websocket_receive(self, event):
        text = event.get("text") or ""
        if len(text) > Entry.MAX_LENGTH:
            await self.send_json({"error": "too long"})
        elif text:
            await Entry.objects.acreate(text=text)
            await self.channel_layer.group_send("entries", {"type": "entry.saved"})

    async def entry_saved(self, event):
        # Count again. Adding 1 would be wrong: messages may be lost, or come twice.
        await self.send_counts()

    async def send_counts(self):
        newer = Entry.objects.filter(id__gt=self.after)
        counts = await newer.aaggregate(new=Count("id"), last=Max("id"))
        if counts != self.sent:
            self.sent = counts
            await self.send_json(counts)

    async def send_json(self, data):
        await self.send({"type": "websocket.send", "text": json.dumps(data)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Doorbell(AsyncConsumer):
    """Lesson 28: saves each ring, and sends to all clients how many there were."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("doorbell", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("doorbell", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        if event.get("text") == "ring":
            await Entry.objects.acreate(text="ring")
            await self.channel_layer.group_send("doorbell", {"type": "doorbell.rang"})

    async def doorbell_rang(self, event):
        count = await Entry.objects.filter(text="ring").acount()
        await self.send({"type": "websocket.send", "text": f"rings: {count}"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
