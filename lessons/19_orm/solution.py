"""Lesson 19, solved: a reading room. A client asks for a group and gets what its members wrote."""

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from django.contrib.auth.models import Group

from db_demo.models import Post


class ReadingRoom(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        try:
            lines = await self.lines_of(event.get("text") or "")
        except Group.DoesNotExist:  # the thread's exception is raised here
            await self.send_text("no such group")
            return
        for line in lines or ["no posts"]:
            await self.send_text(line)

    @database_sync_to_async
    def lines_of(self, name):
        group = Group.objects.get(name=name)
        posts = Post.objects.filter(author__groups=group).select_related("author")
        # The list holds plain text, so its use makes no query.
        return [f"{post.title}, by {post.author.username}" for post in posts]

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
