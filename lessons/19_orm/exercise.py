"""Lesson 19: a client names a group and gets what its members wrote.

A text frame has the name, never empty, of one of Django's groups. For each post by a
member, the client gets a text frame: its title and its author's username, `Rain, by ada`. The posts
come in the order of their ids. Without such a post, the client gets only `no posts`. If no group
has that name, it gets only `no such group`. A binary frame gets `no such group`, too.

Read the rows again for each frame. Other code may change them between queries, but deletes no user.
If a group or a post is deleted there, its frames may be missing, and `no posts` is right too. The
connection stays open.

No query runs on the event loop. Do not query in a thread whose database connection no code closes,
as in `asyncio.to_thread`.
"""

from asgiref.sync import sync_to_async
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from django.contrib.auth.models import Group

from db_demo.models import Post


# The checks look for this name and this base class: keep both.
class ReadingRoom(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        # TODO: three of these lines make queries. One of them may find no row.
        group = Group.objects.get(name=event.get("text") or "")
        posts = Post.objects.filter(author__groups=group)
        if not posts:
            await self.send_text("no posts")
        for post in posts:
            await self.send_text(f"{post.title}, by {post.author.username}")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
