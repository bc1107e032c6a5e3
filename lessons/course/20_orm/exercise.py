"""Lesson 20: a reading room, where one asks for a group and is told what its members wrote.

A text frame has the name of one of Django's groups. For each post whose author is a member of it,
the client gets a text frame, in the order of writing: `Rain, by ada`. If there is none, it gets one
frame, `no posts`; and `no such group` where there is no group of that name. A binary frame names
no group.

What is said is true when it is asked for. No query runs on the event loop. No connection to the
database stays behind in a thread where nobody looks after it.
"""

from asgiref.sync import sync_to_async
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from django.contrib.auth.models import Group

from db_demo.models import Post


class ReadingRoom(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        # TODO: three of these lines ask the database, and one of them may find nothing.
        group = Group.objects.get(name=event.get("text") or "")
        posts = Post.objects.filter(author__groups=group)
        if not posts:
            await self.tell("no posts")
        for post in posts:
            await self.tell(f"{post.title}, by {post.author.username}")

    async def tell(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
