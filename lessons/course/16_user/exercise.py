"""Lesson 16: a counter that serves those who have logged in.

- A stranger's handshake is accepted, and the connection then closed with 4401, so that the page
  learns why.
- Whoever has logged in gets `Hello, ada.`, with their own name.
- Each frame of theirs is answered: `stamped` for those with the permission `auth.change_user`,
  `not yours to stamp` for all others, who stay connected.
"""

from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import URLRouter
from django.urls import path


class Counter(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        # TODO 2: who is there? Show out whoever has not logged in.
        await self.say("Hello, somebody.")

    async def websocket_receive(self, event):
        # TODO 2, too: who may have something stamped?
        await self.say("stamped")

    async def say(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


# What asgi.py serves for WebSockets.
# TODO 1: nothing puts the user into the scope yet.
application = URLRouter([path("ws/auth/user/", Counter.as_asgi())])
